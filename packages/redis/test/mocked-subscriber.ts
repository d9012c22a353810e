import type RedisMock from 'ioredis-mock'
import { EventEmitter } from 'node:events'
import type { Subscriber } from '../src/clients/adapter.ts'

type Listener = (message: Buffer | Buffer[] | null) => void

/** A connection for messages over the channels of ioredis-mock. */
export class MockedSubscriber implements Subscriber {
  readonly #mock: RedisMock
  readonly #events = new EventEmitter()
  readonly #listeners = new Map<string, Listener>()
  readonly #onEnd: () => void
  #state: 'live' | 'silent' | 'ended' = 'live'

  constructor (mock: RedisMock, onEnd: () => void) {
    this.#mock = mock
    this.#onEnd = onEnd
    mock.on('messageBuffer', (channel: Buffer, message: Buffer) => {
      if (this.#state === 'live') this.#listeners.get(channel.toString())?.(message)
    })
  }

  async clientId (): Promise<number> {
    return 1
  }

  async subscribe (channel: string, onMessage: Listener): Promise<void> {
    this.#listeners.set(channel, onMessage)
    await this.#mock.subscribe(channel)
  }

  async unsubscribe (channel: string): Promise<void> {
    this.#listeners.delete(channel)
    await this.#mock.unsubscribe(channel)
  }

  async ping (): Promise<void> {
    if (this.#state === 'ended') throw new Error('Connection is closed.')
    if (this.#state === 'silent') await new Promise(() => {})
  }

  async send (): Promise<unknown> {
    throw new Error('ioredis-mock blocks nobody')
  }

  on (event: 'lost' | 'ready', listener: () => void): void {
    this.#events.on(event, listener)
  }

  /** Neither messages nor answers come any more, and nobody says so. */
  hush (): void {
    this.#state = 'silent'
  }

  /** The connection breaks. */
  lose (): void {
    this.#end()
    this.#events.emit('lost')
  }

  async close (): Promise<void> {
    this.#end()
  }

  // A mock that was disconnected hears on: its listeners must go.
  #end (): void {
    this.#state = 'ended'
    this.#onEnd()
    this.#mock.removeAllListeners('messageBuffer')
    this.#mock.disconnect()
  }
}
