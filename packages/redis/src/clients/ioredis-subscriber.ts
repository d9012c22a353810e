import type { Subscriber } from './adapter.ts'
import type { RedisArg } from '../link/link.ts'
import type { IoredisClient, IoredisCommandClass } from './ioredis-shapes.ts'

type Listener = (message: Buffer | Buffer[] | null) => void

/** A connection for messages: RESP2, since ioredis drops the invalidate pushes of RESP3. It is never made anew by itself. */
export class IoredisSubscriber implements Subscriber {
  readonly #redis: IoredisClient
  readonly #Command: IoredisCommandClass
  readonly #listeners = new Map<string, Listener>()

  constructor (redis: IoredisClient, Command: IoredisCommandClass) {
    this.#redis = redis
    this.#Command = Command
    redis.on('error', () => {}) // 'close' follows
    const hear = (channel: Buffer, message: Buffer | Buffer[] | null) => this.#listeners.get(channel.toString())?.(message)
    redis.on('messageBuffer', hear)
    redis.on('smessageBuffer', hear)
  }

  async clientId (): Promise<number> {
    return Number(await this.#redis.client('ID'))
  }

  async subscribe (channel: string, onMessage: Listener, sharded = false): Promise<void> {
    this.#listeners.set(channel, onMessage)
    await (sharded ? this.#redis.ssubscribe(channel) : this.#redis.subscribe(channel))
  }

  async unsubscribe (channel: string, sharded = false): Promise<void> {
    const listener = this.#listeners.get(channel)
    await (sharded ? this.#redis.sunsubscribe(channel) : this.#redis.unsubscribe(channel))
    if (this.#listeners.get(channel) === listener) this.#listeners.delete(channel)
  }

  async ping (): Promise<void> {
    await this.#redis.ping()
  }

  send (name: string, args: readonly RedisArg[]): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const done = (error: Error | null | undefined, reply: unknown) => error ? reject(error) : resolve(reply)
      // The callback tells of failures too.
      this.#redis.sendCommand(new this.#Command(name, args, { replyEncoding: null }, done))?.catch(() => {})
    })
  }

  on (event: 'lost' | 'ready', listener: () => void): void {
    this.#redis.on(event === 'lost' ? 'close' : 'ready', listener)
  }

  async close (): Promise<void> {
    this.#redis.disconnect()
  }
}
