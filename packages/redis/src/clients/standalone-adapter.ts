import type { Adapter, Command, Node } from './adapter.ts'
import type { Connection } from './connection.ts'

/** One server, or the master that Sentinel names. */
export class StandaloneAdapter implements Adapter {
  readonly flavour: Adapter['flavour']
  readonly cluster = false
  readonly topologyVersion = 0
  readonly #connection: Connection
  readonly #masters: readonly Node[]

  constructor (flavour: Adapter['flavour'], connection: Connection) {
    this.flavour = flavour
    this.#connection = connection
    this.#masters = [{ name: connection.name, exec: command => connection.exec(command), subscriber: () => connection.subscriber() }]
  }

  get connected (): boolean {
    return this.#connection.ready
  }

  get lastError (): Error | undefined {
    return this.#connection.lastError
  }

  exec (command: Command): void {
    this.#connection.exec(command)
  }

  soon (work: () => void): void {
    this.#connection.soon(work)
  }

  masters (): readonly Node[] {
    return this.#masters
  }

  nodeOf (): Node {
    return this.#masters[0]!
  }

  on (event: 'ready' | 'lost' | 'failed' | 'topology', listener: () => void): void {
    if (event !== 'topology') this.#connection.on(event, listener)
  }

  connect (): void {
    this.#connection.connect()
  }

  close (): Promise<void> {
    return this.#connection.close()
  }
}
