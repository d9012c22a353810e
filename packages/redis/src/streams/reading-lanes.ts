import type { Adapter } from '../clients/adapter.ts'
import { type LaneReader, type LaneSettings, ReadingLane } from './reading-lane.ts'

const hashTag = /\{[^}]*\}/

/** Puts every stream that is read on a connection to the server that holds it: one a server, or in a Cluster one a hash tag. */
export class ReadingLanes {
  readonly #adapter: Adapter
  readonly #settings: LaneSettings
  readonly #lanes = new Map<string, ReadingLane>()
  readonly #places = new Map<LaneReader, ReadingLane | undefined>()
  #closed = false

  constructor (adapter: Adapter, settings: LaneSettings) {
    this.#adapter = adapter
    this.#settings = settings
    adapter.on('ready', () => this.#placeAll())
    adapter.on('topology', () => this.#placeAll())
  }

  add (reader: LaneReader): void {
    this.#places.set(reader, undefined)
    this.#place(reader)
  }

  /** Resolves when nothing more will come for it. */
  async remove (reader: LaneReader): Promise<void> {
    const lane = this.#places.get(reader)
    this.#places.delete(reader)
    await lane?.remove(reader)
    this.#closeEmpty()
  }

  /** It may be read now, and was not before. */
  wake (reader: LaneReader): void {
    this.#places.get(reader)?.wake(reader)
  }

  /** Gives up its connection for a new one. */
  renew (reader: LaneReader, reason: Error): void {
    this.#places.get(reader)?.renew(reason)
  }

  close (): void {
    this.#closed = true
    for (const lane of this.#lanes.values()) lane.close()
    this.#lanes.clear()
    this.#places.clear()
  }

  #placeAll (): void {
    for (const reader of this.#places.keys()) this.#place(reader)
    this.#closeEmpty()
  }

  #place (reader: LaneReader): void {
    const node = this.#closed ? undefined : this.#adapter.nodeOf(reader.key)
    const before = this.#places.get(reader)
    if (node === undefined || before?.node.name === node.name) return
    before?.remove(reader).catch(() => {}) // it never rejects
    const name = this.#adapter.cluster ? `${node.name} ${hashTag.exec(reader.key)?.[0] ?? reader.key}` : node.name
    const lane = this.#lanes.get(name) ?? new ReadingLane(node, this.#settings)
    this.#lanes.set(name, lane)
    this.#places.set(reader, lane)
    lane.add(reader)
  }

  #closeEmpty (): void {
    for (const [name, lane] of this.#lanes) {
      if (!lane.empty) continue
      this.#lanes.delete(name)
      lane.close()
    }
  }
}
