import { once } from 'node:events'
import { Agent, createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { pipeline } from 'node:stream/promises'

/** Hands each request to the next server in turn. */
export interface Proxy {
  readonly port: number
  /** Finishes what is in flight. */
  stop (): Promise<void>
}

// What belongs to one connection is not passed on. @see RFC 9110, section 7.6.1
const hopByHop = ['connection', 'keep-alive', 'proxy-connection', 'te', 'trailer', 'upgrade']

/** @param ports - of the servers, on 127.0.0.1 */
export async function startProxy (ports: readonly number[], listen: { host: string, port: number }): Promise<Proxy> {
  const agent = new Agent({ keepAlive: true })
  let turn = 0
  const server = createServer((incoming, outgoing) => {
    const port = ports[turn++ % ports.length]!
    forward({ incoming, outgoing }, port, agent)
  }).listen(listen.port, listen.host)
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    async stop () {
      server.close()
      await once(server, 'close')
      agent.destroy()
    }
  }
}

async function forward ({ incoming, outgoing }: { incoming: IncomingMessage, outgoing: ServerResponse }, port: number, agent: Agent): Promise<void> {
  const { method, url: path, socket } = incoming
  const headers = passedOn(incoming)
  headers['x-forwarded-for'] = [incoming.headers['x-forwarded-for'], socket.remoteAddress].filter(Boolean).join(', ')
  const upstream = request({ host: '127.0.0.1', port, method, path, headers, agent })
  outgoing.once('close', () => upstream.destroy())
  try {
    const answered = once(upstream, 'response') as Promise<[IncomingMessage]>
    // A server that has heard enough answers before the end of the body: what counts is its answer.
    pipeline(incoming, upstream).catch(() => undefined)
    const [answer] = await answered
    outgoing.writeHead(answer.statusCode!, { ...passedOn(answer), 'x-served-by': `127.0.0.1:${port}` })
    await pipeline(answer, outgoing)
  } catch (error) {
    // The client has gone, or the server has: the one who is left is told.
    if (outgoing.headersSent) outgoing.destroy()
    else outgoing.writeHead(502, { 'content-type': 'application/json' }).end(JSON.stringify({ statusCode: 502, error: 'Bad Gateway', message: (error as Error).message }))
  }
}

function passedOn (message: IncomingMessage) {
  const headers = { ...message.headers }
  for (const name of [...hopByHop, ...(headers.connection ?? '').split(',').map(part => part.trim().toLowerCase())]) delete headers[name]
  return headers
}
