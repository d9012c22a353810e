import type { FastifyInstance } from 'fastify'

/**
 * While the app closes, tells clients with their answer that the connection ends too: a client that kept its
 * connection would else keep the server from closing.
 */
export function endConnectionsOnClose (app: FastifyInstance): void {
  let closing = false
  app.addHook('preClose', async () => { closing = true })
  app.addHook('onSend', (_request, reply, _payload, done) => {
    if (closing) reply.header('connection', 'close')
    done()
  })
}
