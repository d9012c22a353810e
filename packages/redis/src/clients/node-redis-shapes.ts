import type { EventEmitter } from 'node:events'

/** What the adapter uses of a node-redis client; by shape, so that our types need none of it. */
export interface NodeRedisClient extends EventEmitter {
  readonly isOpen: boolean
  readonly isReady: boolean
  readonly options?: NodeRedisOptions
  duplicate (overrides?: object): NodeRedisClient
  connect (): Promise<unknown>
  destroy (): void
  close (): Promise<unknown>
  sendCommand (args: readonly (string | Buffer)[], options?: object): Promise<unknown>
  subscribe (channel: string, listener: (message: never) => void, bufferMode: true): Promise<unknown>
  unsubscribe (channel: string): Promise<unknown>
  sSubscribe (channel: string, listener: (message: never) => void, bufferMode: true): Promise<unknown>
  sUnsubscribe (channel: string): Promise<unknown>
}

export interface NodeRedisOptions {
  readonly url?: string
  readonly socket?: { readonly host?: string, readonly port?: number, readonly path?: string, readonly connectTimeout?: number, readonly [option: string]: unknown }
  readonly [option: string]: unknown
}

/** A node-redis cluster, as far as it is looked at. */
export interface NodeRedisCluster extends EventEmitter {
  readonly _options: {
    readonly rootNodes: readonly NodeRedisOptions[]
    readonly defaults?: NodeRedisOptions
    readonly nodeAddressMap?: Readonly<Record<string, { host: string, port: number }>> | ((address: string) => { host: string, port: number } | undefined)
  }
  close (): Promise<unknown>
  destroy (): void
}

export interface NodeRedisModule {
  createClient (options: object): NodeRedisClient
}
