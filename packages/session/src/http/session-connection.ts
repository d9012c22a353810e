import { inspect } from 'node:util'
import { FST_RSP_SESSION_CONNECTION } from '../errors.ts'
import type { SessionEndReason } from '../session-ends.ts'

/** What `closeWith` needs of a WebSocket of the library `ws`, which @fastify/websocket hands to its routes. */
export interface WebSocketLike {
  readonly readyState: number
  close (code: number, reason: string): void
  terminate (): void
  once (event: 'close', listener: () => void): unknown
  removeAllListeners (event: string): unknown
}

/** What `closeWith` needs of a stream or socket, such as `reply.raw`. */
export interface StreamLike {
  readonly destroyed: boolean
  readonly headersSent?: boolean
  end? (): unknown
  destroy (): unknown
  once (event: 'close', listener: () => void): unknown
}

/** What ends with its session. */
export type SessionConnection = WebSocketLike | StreamLike

/** A connection as it is closed. */
export interface Closable {
  readonly closed: boolean
  close (why: SessionEndReason): void
  onceClosed (listener: () => void): void
}

/** @see RFC 6455, section 7.4.1: policy violation, try again later, going away */
const codes = { ended: 1008, expired: 1008, unknown: 1013, closing: 1001 } as const
const words = { ended: 'session ended', expired: 'session expired', unknown: 'session unknown', closing: 'server closes' } as const
const wsClosed = 3
/** How long the other side has to answer the close frame. */
const closeWithinMs = 1_000

/** @throws FST_RSP_SESSION_CONNECTION */
export function closable (connection: SessionConnection): Closable {
  const is = (...methods: string[]) => typeof connection === 'object' && connection !== null && methods.every(name => typeof (connection as never)[name] === 'function')
  if (is('close', 'terminate', 'once')) return webSocket(connection as WebSocketLike)
  if (is('destroy', 'once')) return stream(connection as StreamLike)
  throw new FST_RSP_SESSION_CONNECTION(inspect(connection, { depth: -1 }))
}

function webSocket (socket: WebSocketLike): Closable {
  return {
    get closed () { return socket.readyState === wsClosed },
    close (why) {
      // What arrives until the other side has answered the close frame has no session any more.
      socket.removeAllListeners('message')
      socket.close(codes[why], words[why])
      const timer = setTimeout(() => socket.terminate(), closeWithinMs).unref()
      socket.once('close', () => clearTimeout(timer))
    },
    onceClosed: listener => { socket.once('close', listener) }
  }
}

function stream (given: StreamLike): Closable {
  return {
    get closed () { return given.destroyed },
    close () {
      // A response says that it is complete; a client that does not read must not keep it, and a late write must not throw.
      if (given.headersSent === true) given.end?.()
      given.destroy()
    },
    onceClosed: listener => { given.once('close', listener) }
  }
}
