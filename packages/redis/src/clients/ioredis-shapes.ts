import type { EventEmitter } from 'node:events'

/** What the adapter uses of ioredis 5 and 6 and iovalkey; by shape, so that our types need none of them. */
export interface IoredisClient extends EventEmitter {
  readonly status: string
  readonly options: IoredisOptions
  readonly isCluster?: boolean
  readonly stream?: { readonly writable: boolean, write (chunk: string | Buffer): unknown, cork (): void, uncork (): void } | null
  duplicate (override?: object): IoredisClient
  connect (): Promise<void>
  disconnect (reconnect?: boolean): void
  quit (): Promise<unknown>
  ping (): Promise<unknown>
  client (subcommand: string): Promise<unknown>
  subscribe (channel: string): Promise<unknown>
  unsubscribe (channel: string): Promise<unknown>
  ssubscribe (channel: string): Promise<unknown>
  sunsubscribe (channel: string): Promise<unknown>
  sendCommand (command: unknown, stream?: unknown): Promise<unknown>
}

export interface IoredisOptions {
  readonly host?: string
  readonly port?: number
  readonly path?: string
  readonly db?: number
  readonly name?: string
  readonly sentinels?: readonly unknown[] | null
  readonly connectTimeout?: number
  readonly [option: string]: unknown
}

/** An ioredis Cluster, as far as it is looked at. */
export interface IoredisCluster extends EventEmitter {
  readonly isCluster: true
  readonly startupNodes: readonly (string | number | { readonly host?: string, readonly port?: number })[]
  readonly options: {
    readonly redisOptions?: IoredisOptions
    readonly natMap?: Readonly<Record<string, { host: string, port: number }>> | ((key: string) => { host: string, port: number } | null | undefined)
  }
  nodes (role: 'all'): IoredisClient[]
  disconnect (): void
  quit (): Promise<unknown>
}

/** How ioredis makes a command; the third argument tells in what form strings are answered. */
export type IoredisCommandClass = new (
  name: string, args: readonly unknown[], options: { replyEncoding: 'utf8' | null }, callback: (error: Error | null | undefined, reply: unknown) => void) => unknown

export type IoredisClass = (new (...args: unknown[]) => IoredisClient) & { readonly Command: IoredisCommandClass }

export interface IoredisModule {
  readonly Redis: IoredisClass
  readonly Command: IoredisCommandClass
}
