import { bytesOf } from '../../src/stores/merge.ts'

/** A row of a ledger and its data; `fields` undefined: evicted. */
interface Row { readonly hash: string, readonly sid: string, readonly order: number, next?: string, version: number, fields: Map<string, string> | undefined }

export interface Login {
  readonly hash: string
  readonly sid: string
  readonly max: number
  readonly onExceed: string
  readonly replaces: string
  readonly fields: Map<string, string>
}
export interface Save { readonly mode: string, readonly loaded: number, readonly set: Map<string, string>, readonly deleted: readonly string[], readonly mostBytes: number }

/** What the scripts of sessions in Redis alone do, of one user, while no time passes. */
export class LedgerModel {
  era = 'e0'
  #ledgerEra: string | undefined
  #rows: Row[] = []
  #order = 0

  /** The ledger is lost. */
  lose (): void {
    this.#rows = []
    this.#ledgerEra = undefined
  }

  /** The data of a session is lost. */
  evict (hash: string): void {
    const row = this.#rows.find(row => row.hash === hash)
    if (row !== undefined) row.fields = undefined
  }

  read (hash: string): unknown[] {
    const row = this.#believed().find(row => row.hash === hash)
    if (row?.next !== undefined) return ['NEXT', row.next]
    return row?.fields === undefined ? ['DEAD'] : ['LIVE', row.sid, row.version, bytesOf(row.fields), Object.fromEntries([...row.fields].sort())]
  }

  login ({ hash, sid, max, onExceed, replaces, fields }: Login): unknown[] {
    const alive = this.#believed().filter(row => row.next === undefined).sort((a, b) => a.order - b.order).map(row => row.sid)
    const others = alive.filter(sid => sid !== replaces)
    const excess = onExceed === 'replace' ? others.length : Math.max(0, others.length - max + 1)
    if (onExceed === 'reject' && excess > 0) return ['LIMIT', others.length]
    const ended = [...alive.filter(sid => sid === replaces), ...others.slice(0, excess)]
    this.#rows = this.#believed().filter(row => !ended.includes(row.sid))
    this.#ledgerEra = this.era
    this.#rows.push({ hash, sid, order: ++this.#order, version: 1, fields })
    return ['MADE', ended]
  }

  revoke (sid: string, except: string): unknown[] {
    const meant = this.#rows.filter(row => (sid === '' || row.sid === sid) && (except === '' || row.sid !== except))
    this.#rows = this.#rows.filter(row => !meant.includes(row))
    if (this.#rows.length === 0) this.lose()
    return [meant.filter(row => row.next === undefined).map(row => row.sid).sort(), meant.map(row => row.hash).sort()]
  }

  save (hash: string, { mode, loaded, set, deleted, mostBytes }: Save): unknown[] {
    const row = this.#believed().find(row => row.hash === hash)
    if (row?.next !== undefined) return ['NEXT', row.next]
    if (row?.fields === undefined) return ['GONE']
    if (mode === 'compare-and-set' && loaded !== row.version) return ['CONFLICT']
    const after = new Map(mode === 'last-wins' ? [] : row.fields)
    for (const name of deleted) after.delete(name)
    for (const [name, json] of set) after.set(name, json)
    if (bytesOf(after) > mostBytes) return ['LARGE', bytesOf(after)]
    row.fields = after
    return ['SAVED', ++row.version]
  }

  touch (hash: string): boolean {
    return this.read(hash)[0] === 'LIVE'
  }

  rotate (hash: string, next: string): number {
    const row = this.#believed().find(row => row.hash === hash)
    if (row?.fields === undefined || row.next !== undefined) return 0
    this.#rows.push({ ...row, hash: next, version: row.version + 1 })
    row.next = next
    row.fields = undefined
    return 1
  }

  #believed (): Row[] {
    return this.#ledgerEra === this.era ? this.#rows : []
  }
}
