import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

/** A TCP proxy on loopback that can lose, hold and cut what passes. */
export interface TcpProxy {
  readonly port: number
  /** Where new connections lead, of 127.0.0.1. */
  targetPort: number
  /** Which connections what follows is for: those that have subscribed to a channel, the others, or all. At first all. */
  aim: 'all' | 'subscribers' | 'others'
  /** Swallows everything in both directions while true; connections stay open. */
  blackHole: boolean
  /** Milliseconds by which the server's answers are late. */
  replyDelayMs: number
  /** Keeps the server's answers until `release`. */
  hold (): void
  /** Lets what was kept go, in its order. */
  release (): void
  /** Cuts all connections, in the middle of whatever passes. */
  cut (): void
  /** New connections are refused while false. */
  accepting: boolean
  stop (): Promise<void>
}

/**
 * Passes everything on until it is told otherwise.
 * @param targetPort - a port of 127.0.0.1, to begin with
 */
export async function startProxy (targetPort: number): Promise<TcpProxy> {
  const sockets = new Set<Socket>()
  const proxy = { targetPort, aim: 'all' as TcpProxy['aim'], blackHole: false, replyDelayMs: 0, accepting: true }
  let held: (() => void)[] | undefined
  const server = createServer(client => {
    if (!proxy.accepting) {
      client.destroy()
      return
    }
    const upstream = connect(proxy.targetPort, '127.0.0.1')
    for (const socket of [client, upstream]) {
      sockets.add(socket)
      socket.setNoDelay(true)
      socket.on('error', () => socket.destroy()) // a cut is what the test asked for
      socket.on('close', () => { sockets.delete(socket); client.destroy(); upstream.destroy() })
    }
    let subscriber = false
    const meant = () => proxy.aim === 'all' || subscriber === (proxy.aim === 'subscribers')
    client.on('data', bytes => {
      subscriber ||= /\bs?subscribe\b/i.test(bytes.toString('latin1'))
      if (!proxy.blackHole || !meant()) upstream.write(bytes)
    })
    upstream.on('data', bytes => {
      const pass = () => { if (!client.destroyed) client.write(bytes) }
      if (!meant()) pass()
      else if (held !== undefined && !proxy.blackHole) held.push(pass)
      else if (proxy.replyDelayMs > 0 && !proxy.blackHole) setTimeout(pass, proxy.replyDelayMs)
      else if (!proxy.blackHole) pass()
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const cut = () => { for (const socket of sockets) socket.destroy() }
  return Object.assign(proxy, {
    port: (server.address() as AddressInfo).port,
    cut,
    hold () { held ??= [] },
    release () {
      const all = held ?? []
      held = undefined
      for (const pass of all) pass()
    },
    async stop () {
      cut()
      server.close()
      await once(server, 'close')
    }
  })
}
