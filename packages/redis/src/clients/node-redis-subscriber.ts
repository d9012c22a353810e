import type { RedisArg } from '../link/link.ts'
import type { Subscriber } from './adapter.ts'
import type { NodeRedisClient } from './node-redis-shapes.ts'

// The RESP types `$` and `+`, as node-redis names them.
const asBytes = { typeMapping: { 36: Buffer, 43: Buffer }, timeout: undefined }

type Listener = (message: Buffer | Buffer[] | null) => void

/** A connection for messages over RESP2. It is never made anew by itself. */
export class NodeRedisSubscriber implements Subscriber {
  readonly #client: NodeRedisClient
  readonly #events = new Map<string, Set<() => void>>()
  readonly #connected: Promise<unknown>
  #lost = false

  constructor (client: NodeRedisClient) {
    this.#client = client
    const lost = () => {
      if (this.#lost) return
      this.#lost = true
      this.#tell('lost')
    }
    client.on('error', lost)
    client.on('end', lost)
    client.on('ready', () => this.#tell('ready'))
    this.#connected = client.connect()
    this.#connected.catch(lost)
  }

  async clientId (): Promise<number> {
    await this.#connected
    return Number(await this.#client.sendCommand(['CLIENT', 'ID']))
  }

  async subscribe (channel: string, onMessage: Listener, sharded = false): Promise<void> {
    await this.#connected
    await (sharded ? this.#client.sSubscribe(channel, onMessage, true) : this.#client.subscribe(channel, onMessage, true))
  }

  async unsubscribe (channel: string, sharded = false): Promise<void> {
    await this.#connected
    await (sharded ? this.#client.sUnsubscribe(channel) : this.#client.unsubscribe(channel))
  }

  async ping (): Promise<void> {
    await this.#connected
    await this.#client.sendCommand(['PING'])
  }

  async send (name: string, args: readonly RedisArg[]): Promise<unknown> {
    await this.#connected
    return await this.#client.sendCommand([name, ...args.map(arg => typeof arg === 'number' ? String(arg) : arg)], asBytes)
  }

  on (event: 'lost' | 'ready', listener: () => void): void {
    const listeners = this.#events.get(event) ?? new Set()
    this.#events.set(event, listeners.add(listener))
  }

  async close (): Promise<void> {
    if (this.#client.isOpen) this.#client.destroy()
  }

  #tell (event: 'lost' | 'ready'): void {
    for (const listener of this.#events.get(event) ?? []) listener()
  }
}
