import { systemClock } from '../clock.ts'
import { EventEmitter } from 'node:events'
import type { Adapter, Command, Node } from './adapter.ts'
import { type Connection, refuse } from './connection.ts'
import { keySlot } from './key-slot.ts'
import { type Address, nameOf, readSlotMap, redirection, type SlotMap } from './slot-map.ts'

/** What a Cluster needs to know of its client. */
export interface ClusterSettings {
  readonly flavour: Adapter['flavour']
  /** Where to ask first. */
  readonly startNodes: readonly Address[]
  readonly open: (address: Address) => Connection
  /** Addresses as this process reaches them, where the nodes name others. */
  readonly translate?: (address: Address) => Address
}

const refreshEveryMs = 1_000
const mostRedirections = 5

/**
 * A Cluster over connections of our own, one a master. The clients' own Clusters send a command again when its connection
 * broke, though it may have been executed; here only what a node has refused (MOVED, ASK) goes elsewhere.
 * @see https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/
 */
export class ClusterAdapter implements Adapter {
  readonly flavour: Adapter['flavour']
  readonly cluster = true
  topologyVersion = 0
  readonly #settings: ClusterSettings
  readonly #events = new EventEmitter().setMaxListeners(0)
  readonly #connections = new Map<string, Connection>()
  readonly #nodes = new Map<string, Node>()
  #map: SlotMap = { masters: new Map(), nameOf: [], signature: '' }
  #masters: readonly Node[] = []
  #asking = false
  #askedSinceMs = 0
  #timer: NodeJS.Timeout | undefined
  #turn = 0
  #closed = false

  constructor (settings: ClusterSettings) {
    this.#settings = settings
    this.flavour = settings.flavour
  }

  get connected (): boolean {
    return this.#masters.length > 0 && this.#anyReady() !== undefined
  }

  get lastError (): Error | undefined {
    return Array.from(this.#connections.values(), ({ lastError }) => lastError).find(error => error !== undefined)
  }

  connect (): void {
    for (const address of this.#settings.startNodes) this.#connectionTo(address)
    this.#timer ??= setInterval(() => this.#refresh(), refreshEveryMs).unref()
  }

  exec (command: Command): void {
    const connection = command.key === undefined ? this.#anyReady() : this.#connections.get(this.#map.nameOf[keySlot(command.key)] ?? '')
    if (connection === undefined) {
      this.#refresh()
      refuse(command)
    } else if (command.redirect === 'refuse') {
      this.#execHere(connection, command)
    } else {
      this.#follow(connection, command, mostRedirections)
    }
  }

  soon (work: () => void): void {
    setImmediate(work)
  }

  masters (): readonly Node[] {
    return this.#masters
  }

  nodeOf (key: string): Node | undefined {
    const name = this.#map.nameOf[keySlot(key)]
    return name === undefined ? undefined : this.#nodes.get(name)
  }

  on (event: 'ready' | 'lost' | 'failed' | 'topology', listener: () => void): void {
    this.#events.on(event, listener)
  }

  async close (): Promise<void> {
    this.#closed = true
    clearInterval(this.#timer)
    await Promise.all(Array.from(this.#connections.values(), connection => connection.close()))
    this.#connections.clear()
  }

  /** Follows nobody: what is sent reaches this node or none. */
  #execHere (connection: Connection, command: Command): void {
    connection.exec({
      ...command,
      done: (error, reply) => {
        if (error !== null && redirection(error) !== undefined) this.#refresh()
        command.done(error, reply)
      }
    })
  }

  #follow (connection: Connection, command: Command, left: number): void {
    connection.exec({
      ...command,
      done: (error, reply) => {
        const elsewhere = error === null || left === 0 ? undefined : redirection(error)
        if (elsewhere === undefined) {
          command.done(error, reply)
          return
        }
        const next = this.#connectionTo(this.#reachable(elsewhere.address, connection))
        if (elsewhere.kind === 'MOVED') this.#refresh()
        whenReady(next, () => {
          // ASKING holds for the next command of its connection: both are sent in this turn.
          if (elsewhere.kind === 'ASK') next.exec({ name: 'ASKING', args: [], key: undefined, bytes: false, redirect: 'refuse', done: () => {} }) // the command itself tells
          this.#follow(next, command, left - 1)
        }, () => refuse(command))
      }
    })
  }

  #reachable (address: Address, asked: Connection): Address {
    const named = address.host === '' ? { host: hostOf(asked), port: address.port } : address
    return this.#settings.translate?.(named) ?? named
  }

  #connectionTo (address: Address): Connection {
    const name = nameOf(address)
    const known = this.#connections.get(name)
    if (known !== undefined) return known
    const connection = this.#settings.open(address)
    this.#connections.set(name, connection)
    connection.on('ready', () => { this.#refresh(); if (this.#serves(name)) this.#events.emit('ready') })
    connection.on('lost', () => { this.#refresh(); if (this.#serves(name)) this.#events.emit('lost') })
    connection.on('failed', () => this.#events.emit('failed'))
    connection.connect()
    return connection
  }

  #serves (name: string): boolean {
    return this.#map.masters.has(name)
  }

  #anyReady (): Connection | undefined {
    for (const name of this.#map.masters.keys()) {
      const connection = this.#connections.get(name)
      if (connection?.ready === true) return connection
    }
    return undefined
  }

  /** Asks one node after the other, a different one each time. */
  #refresh (): void {
    const nowMs = systemClock.monotonicMs()
    // A question to a node that hangs is not waited for.
    if (this.#closed || (this.#asking && nowMs - this.#askedSinceMs < refreshEveryMs)) return
    const ready = [...this.#connections.values()].filter(connection => connection.ready)
    const asked = ready[this.#turn++ % Math.max(1, ready.length)]
    if (asked === undefined) {
      for (const address of this.#settings.startNodes) this.#connectionTo(address)
      return
    }
    this.#asking = true
    this.#askedSinceMs = nowMs
    asked.exec({
      name: 'CLUSTER',
      args: ['SLOTS'],
      key: undefined,
      bytes: false,
      redirect: 'refuse',
      done: (error, reply) => {
        if (this.#askedSinceMs === nowMs) this.#asking = false
        if (error === null && !this.#closed) this.#learn(readSlotMap(reply, hostOf(asked), this.#settings.translate))
      }
    })
  }

  #learn (map: SlotMap): void {
    if (map.signature === this.#map.signature || map.masters.size === 0) return
    const first = this.#masters.length === 0
    this.#map = map
    for (const address of map.masters.values()) this.#connectionTo(address)
    this.#masters = Array.from(map.masters.keys(), name => this.#nodeAt(name))
    this.#dropOthers()
    this.topologyVersion++
    this.#events.emit('topology')
    if (first && this.connected) this.#events.emit('ready')
  }

  #dropOthers (): void {
    const kept = new Set([...this.#map.masters.keys(), ...this.#settings.startNodes.map(nameOf)])
    for (const [name, connection] of this.#connections) {
      if (kept.has(name)) continue
      this.#connections.delete(name)
      this.#nodes.delete(name)
      connection.close().catch(() => {}) // it is of no use any more
    }
  }

  #nodeAt (name: string): Node {
    const known = this.#nodes.get(name)
    if (known !== undefined) return known
    const node: Node = {
      name,
      exec: command => {
        const connection = this.#connections.get(name)
        if (connection === undefined) refuse(command)
        else this.#execHere(connection, command)
      },
      subscriber: () => this.#connectionTo(this.#map.masters.get(name) ?? addressOf(name)).subscriber()
    }
    this.#nodes.set(name, node)
    return node
  }
}

function whenReady (connection: Connection, then: () => void, otherwise: () => void): void {
  if (connection.ready) {
    then()
    return
  }
  let settled = false
  const settle = (what: () => void) => () => {
    if (!settled) what()
    settled = true
  }
  connection.on('ready', settle(then))
  connection.on('failed', settle(otherwise))
}

const hostOf = ({ name }: Connection) => name.slice(0, name.lastIndexOf(':'))
const addressOf = (name: string): Address => ({ host: name.slice(0, name.lastIndexOf(':')), port: Number(name.slice(name.lastIndexOf(':') + 1)) })
