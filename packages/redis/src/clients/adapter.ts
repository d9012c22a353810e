import type { RedisArg } from '../link/link.ts'

/** One command on its way to a server. */
export interface Command {
  readonly name: string
  readonly args: readonly RedisArg[]
  /** The key by which a Cluster finds the node; undefined: any node. */
  readonly key: string | undefined
  readonly bytes: boolean
  readonly redirect: 'follow' | 'refuse'
  /** Called once, unless the connection closes without a word. `error` is the client's own. */
  done (error: Error | null, reply: unknown): void
}

/** A connection of its own for messages and pushes: RESP2 SUBSCRIBE, on one server. */
export interface Subscriber {
  /** CLIENT ID of this connection; another connection redirects its pushes here. */
  clientId (): Promise<number>
  /** Resolves when the server has confirmed. Messages come as bytes; an invalidate push as an array of keys, or null for flush-all. */
  subscribe (channel: string, onMessage: (message: Buffer | Buffer[] | null) => void, sharded?: boolean): Promise<void>
  unsubscribe (channel: string, sharded?: boolean): Promise<void>
  /** Any other command a subscribed connection may send: PING. */
  ping (): Promise<void>
  /** A command of a connection that is subscribed to nothing: one that blocks until there is something. Strings answer as Buffers; `error` is the client's own. */
  send (name: string, args: readonly RedisArg[]): Promise<unknown>
  /** Lost and returned: what was subscribed is subscribed again only by the caller. */
  on (event: 'lost' | 'ready', listener: () => void): void
  close (): Promise<void>
}

/** One server of the data set: a standalone server, or a master of a Cluster. */
export interface Node {
  /** `host:port`, or a name. */
  readonly name: string
  /** Sends on this node's own connection, whatever the slot. */
  exec (command: Command): void
  /** A subscriber's connection to this node. */
  subscriber (): Subscriber
}

/** The only place that knows a client's flavour. Makes the link's own connections from the user's client. */
export interface Adapter {
  readonly flavour: 'ioredis' | 'node-redis'
  readonly cluster: boolean
  /** Whether a command can be sent now. */
  readonly connected: boolean
  /** Grows whenever the slot map has changed. */
  readonly topologyVersion: number
  /** Sends; commands of one tick leave in one write. Never queued while not connected: `done` gets an error at once. */
  exec (command: Command): void
  /** Calls at the end of this turn of the event loop, where it can before what was sent in it leaves. */
  soon (work: () => void): void
  /** The masters, now. */
  masters (): readonly Node[]
  /** The master that serves this key, now. */
  nodeOf (key: string): Node | undefined
  /** `failed`: a connection could not be made, and will be tried again; `lastError` tells why. */
  on (event: 'ready' | 'lost' | 'failed' | 'topology', listener: () => void): void
  /** The last reason a connection could not be made or broke. */
  readonly lastError: Error | undefined
  connect (): void
  close (): Promise<void>
}
