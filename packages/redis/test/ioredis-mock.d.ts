/** What the tests use of ioredis-mock, which brings no types. */
declare module 'ioredis-mock' {
  import type { EventEmitter } from 'node:events'

  export default class RedisMock extends EventEmitter {
    /** Clients of one address share their data and channels. */
    constructor (address?: { host?: string, port?: number })
    readonly channels: EventEmitter
    get (key: string): Promise<string | null>
    set (key: string, value: string): Promise<string>
    eval (lua: string, keys: number, ...args: unknown[]): Promise<unknown>
    subscribe (channel: string): Promise<number>
    unsubscribe (channel: string): Promise<number>
    duplicate (override?: object): RedisMock
    disconnect (): void
  }
}
