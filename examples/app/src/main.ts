import { type AddressInfo, isIPv6 } from 'node:net'
import { buildApp } from './app.ts'
import { readEnvironment } from './environment.ts'
import { shutDownWith } from './shutdown.ts'

async function start (): Promise<void> {
  const environment = readEnvironment()
  const app = await buildApp(environment)
  shutDownWith(() => app.close(), app.log)
  await app.listen({ port: environment.PORT, host: environment.HOST })
  const { port } = app.server.address() as AddressInfo
  const host = isIPv6(environment.HOST) ? `[${environment.HOST}]` : environment.HOST
  app.log.info(`open http://${host}:${port} in a browser, and http://${host}:${port}/dashboard`)
  // Browsers keep `__Host-` cookies from https and from localhost alone.
  if (!['localhost', '127.0.0.1', '::1'].includes(environment.HOST)) {
    app.log.info('over plain http, session cookies work on localhost only: elsewhere use https, or the bearer token that /login returns')
  }
  if (process.connected) process.send?.({ listening: { port } })
}

try {
  await start()
} catch (error) {
  // Nothing serves yet: the reason in a line is worth more than a stack.
  process.stderr.write(`${(error as Error).message}\n`)
  process.exit(1)
}
