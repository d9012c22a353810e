import { ReplyError } from 'ioredis'
import RedisMock from 'ioredis-mock'
import { createHash } from 'node:crypto'
import { EventEmitter } from 'node:events'
import type { Adapter, Command, Node } from '../src/clients/adapter.ts'
import { refuse as refuseUnsent } from '../src/clients/connection.ts'
import { MockedSubscriber } from './mocked-subscriber.ts'

type Method = (...args: unknown[]) => Promise<unknown>

// What a server answers whatever it refuses, unless it does not know who asks.
const alwaysAnswered = new Set(['INFO', 'COMMAND'])

const asksForScripts = ({ name, args }: Command) => name === 'SCRIPT' ? args[1] === 'return 1' : name === 'EVALSHA' && args[0] === 'e0e1f9fabfc9d4800c877a703b823ac0578ff8db'

let port = 20_000

/** An address no other test of this process has: mocks of one address are one server. */
export const mockedAddress = () => ({ host: 'mock', port: ++port })

/** One process' connection to a server that ioredis-mock plays, and whatever may befall it. */
export class MockedAdapter implements Adapter {
  readonly flavour = 'ioredis'
  readonly cluster = false
  readonly topologyVersion = 0
  connected = false
  lastError: Error | undefined
  /** The names of all commands that were sent, in order, but for the question whether scripts run. */
  readonly sent: string[] = []
  /** How often it was closed. */
  closed = 0
  readonly #address: { host: string, port: number }
  readonly #mock: RedisMock
  readonly #events = new EventEmitter()
  readonly #scripts = new Map<string, string>()
  readonly #subscribers = new Set<MockedSubscriber>()
  readonly #node: Node
  /** Sent, and not answered. */
  readonly #held: Command[] = []
  #silent = false
  #refusal: string | undefined

  constructor (address = mockedAddress()) {
    this.#address = address
    this.#mock = new RedisMock(address)
    this.#mock.channels.setMaxListeners(0)
    this.#node = { name: `${address.host}:${address.port}`, exec: command => this.exec(command), subscriber: () => this.#subscriber() }
  }

  /** Until told otherwise it takes commands and answers none. */
  hush (): void {
    this.#silent = true
  }

  /** What was held is answered, and so is whatever comes. */
  speak (): void {
    this.#silent = false
    for (const command of this.#held.splice(0)) this.#answer(command)
  }

  /** Commands are answered by this error, until called without one; INFO tells of it as a server's would. */
  refuse (message?: string): void {
    this.#refusal = message
  }

  /** The connection breaks: what was under way is lost. */
  lose (error = new Error('Connection is closed.')): void {
    this.connected = false
    this.lastError = error
    for (const command of this.#held.splice(0)) command.done(error, undefined)
    this.#events.emit('lost')
  }

  connect (): void {
    this.connected = true
    this.lastError = undefined
    this.#silent = false
    // Never within the call: a real connection takes its time.
    setImmediate(() => this.#events.emit('ready'))
  }

  /** Kills the connections for messages. */
  killSubscribers (): void {
    for (const subscriber of this.#subscribers) subscriber.lose()
  }

  /** They stay, and answer nothing more. */
  hushSubscribers (): void {
    for (const subscriber of this.#subscribers) subscriber.hush()
  }

  /** How many there are. */
  get subscribers (): number {
    return this.#subscribers.size
  }

  exec (command: Command): void {
    if (!this.connected) {
      refuseUnsent(command)
      return
    }
    if (!asksForScripts(command)) this.sent.push(command.name)
    // What was written stays written, whatever becomes of the call.
    const { name, args, key, bytes, redirect } = command
    const written: Command = { name, args, key, bytes, redirect, done: (error, reply) => command.done(error, reply) }
    if (this.#silent) this.#held.push(written)
    else this.#answer(written)
  }

  soon (work: () => void): void {
    setImmediate(work)
  }

  masters (): readonly Node[] {
    return [this.#node]
  }

  nodeOf (): Node {
    return this.#node
  }

  on (event: 'ready' | 'lost' | 'failed' | 'topology', listener: () => void): void {
    this.#events.on(event, listener)
  }

  async close (): Promise<void> {
    this.closed++
    this.connected = false
    for (const command of this.#held.splice(0)) command.done(new Error('Connection is closed.'), undefined)
    this.#mock.disconnect()
  }

  #answer (command: Command): void {
    this.#reply(command).then(reply => command.done(null, reply), (error: Error) => command.done(new ReplyError(error.message), undefined))
  }

  async #reply ({ name, args, bytes }: Command): Promise<unknown> {
    if (this.#refusal !== undefined && (!alwaysAnswered.has(name) || this.#refusal.startsWith('NOAUTH'))) throw new ReplyError(this.#refusal)
    switch (name) {
      case 'INFO': return this.#info()
      case 'COMMAND': return []
      case 'SCRIPT': return this.#script(args.map(String))
      case 'EVALSHA': return this.#eval(args)
      // The mock hands a message on in the form it was published in; subscribers want bytes.
      case 'PUBLISH': return this.#method('publish')(args[0], Buffer.from(args[1] as string))
      default: return flat(await this.#method(bytes ? `${name.toLowerCase()}Buffer` : name.toLowerCase())(...args))
    }
  }

  #method (name: string): Method {
    const method = (this.#mock as unknown as Record<string, Method | undefined>)[name]
    if (method === undefined) throw new ReplyError('ERR unknown command')
    return method
  }

  #info (): string {
    const is = (word: string) => this.#refusal?.startsWith(word) === true
    return ['redis_version:6.2.0', `run_id:${this.#node.name}`, `loading:${is('LOADING') ? 1 : 0}`, `role:${is('READONLY') ? 'slave' : 'master'}`].join('\r\n')
  }

  #script ([what, lua = '']: string[]): string {
    if (what === 'FLUSH') this.#scripts.clear()
    if (what !== 'LOAD') return 'OK'
    const sha = createHash('sha1').update(lua).digest('hex')
    this.#scripts.set(sha, lua)
    return sha
  }

  #eval ([sha, ...rest]: Command['args']): Promise<unknown> {
    const lua = this.#scripts.get(String(sha))
    if (lua === undefined) throw new ReplyError('NOSCRIPT No matching script. Please use EVAL.')
    return this.#mock.eval(lua, ...rest as [number, ...unknown[]])
  }

  #subscriber (): MockedSubscriber {
    const subscriber = new MockedSubscriber(new RedisMock(this.#address), () => this.#subscribers.delete(subscriber))
    this.#subscribers.add(subscriber)
    return subscriber
  }
}

// A server knows lists only; it is the client that makes objects of them.
const flat = (reply: unknown) => typeof reply === 'object' && reply !== null && Object.getPrototypeOf(reply) === Object.prototype ? Object.entries(reply).flat() : reply
