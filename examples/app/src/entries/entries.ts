import type { Database } from '../database/database.ts'

/** What a client writes. */
export interface Draft {
  title: string
  content: string
}

/** An entry as the database holds it; the times are ISO 8601. */
export interface Entry extends Draft {
  id: number
  createdAt: string
  updatedAt: string
}

/** One page of entries, the newest first. */
export interface EntryPage {
  entries: Entry[]
  page: number
  size: number
  /** Of all pages. */
  total: number
}

/** The entries; every method has committed when it resolves. */
export interface Entries {
  /** @param page - from 1 */
  list (page: number, size: number): Promise<EntryPage>
  get (id: number): Promise<Entry | undefined>
  create (draft: Draft): Promise<Entry>
  /** The entry after the change, or undefined where there is none. */
  update (id: number, draft: Draft): Promise<Entry | undefined>
  /** Whether there was one. */
  delete (id: number): Promise<boolean>
}

interface Row extends Draft { id: number, created_at: string, updated_at: string }

const columns = 'id, title, content, created_at, updated_at'
const entryOf = ({ id, title, content, created_at: createdAt, updated_at: updatedAt }: Row): Entry => ({ id, title, content, createdAt, updatedAt })

/**
 * Entries in a table of the database.
 * @param now - the time of a write, ISO 8601
 */
export async function openEntries (database: Database, now: () => string): Promise<Entries> {
  await database.define([`CREATE TABLE IF NOT EXISTS entries (
    id ${database.identity},
    title ${database.text} NOT NULL,
    content ${database.text} NOT NULL,
    created_at ${database.text} NOT NULL,
    updated_at ${database.text} NOT NULL
  )`])
  const get = async (id: number) => (await database.query<Row>(`SELECT ${columns} FROM entries WHERE id = $1`, [id])).map(entryOf)[0]
  return {
    async list (page, size) {
      const [rows, [count]] = await Promise.all([
        database.query<Row>(`SELECT ${columns} FROM entries ORDER BY id DESC LIMIT $1 OFFSET $2`, [size, (page - 1) * size]),
        database.query<{ total: number | string }>('SELECT count(*) AS total FROM entries')
      ])
      return { entries: rows.map(entryOf), page, size, total: Number(count!.total) }
    },
    get,
    async create (draft) {
      const at = now()
      const id = await database.insert('INSERT INTO entries (title, content, created_at, updated_at) VALUES ($1, $2, $3, $4)', [draft.title, draft.content, at, at])
      return { id: id!, title: draft.title, content: draft.content, createdAt: at, updatedAt: at }
    },
    async update (id, { title, content }) {
      const updatedAt = now()
      if (await database.change('UPDATE entries SET title = $1, content = $2, updated_at = $3 WHERE id = $4', [title, content, updatedAt, id]) === 0) return undefined
      // What never changes is read; the rest may be another's by now.
      const entry = await get(id)
      return entry && { ...entry, title, content, updatedAt }
    },
    async delete (id) {
      return await database.change('DELETE FROM entries WHERE id = $1', [id]) > 0
    }
  }
}
