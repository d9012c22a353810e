import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

/** A TCP proxy on loopback that can lose, hold and cut what passes. */
export interface TcpProxy {
  readonly port: number
  /** Swallows everything in both directions while true; connections stay open. */
  blackHole: boolean
  /** Milliseconds by which the server's answers are late. */
  replyDelayMs: number
  /** Cuts all connections, in the middle of whatever passes. */
  cut (): void
  /** New connections are refused while false. */
  accepting: boolean
  stop (): Promise<void>
}

/**
 * Passes everything on until it is told otherwise.
 * @param targetPort - a port of 127.0.0.1
 */
export async function startProxy (targetPort: number): Promise<TcpProxy> {
  const sockets = new Set<Socket>()
  const proxy = { blackHole: false, replyDelayMs: 0, accepting: true }
  const server = createServer(client => {
    if (!proxy.accepting) {
      client.destroy()
      return
    }
    const upstream = connect(targetPort, '127.0.0.1')
    for (const socket of [client, upstream]) {
      sockets.add(socket)
      socket.setNoDelay(true)
      socket.on('error', () => socket.destroy()) // a cut is what the test asked for
      socket.on('close', () => { sockets.delete(socket); client.destroy(); upstream.destroy() })
    }
    client.on('data', bytes => { if (!proxy.blackHole) upstream.write(bytes) })
    upstream.on('data', bytes => {
      if (proxy.blackHole) return
      if (proxy.replyDelayMs > 0) setTimeout(() => { if (!client.destroyed) client.write(bytes) }, proxy.replyDelayMs)
      else client.write(bytes)
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const cut = () => { for (const socket of sockets) socket.destroy() }
  return Object.assign(proxy, {
    port: (server.address() as AddressInfo).port,
    cut,
    async stop () {
      cut()
      server.close()
      await once(server, 'close')
    }
  })
}
