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

const columns = 'id, title, content, created_at AS "createdAt", updated_at AS "updatedAt"'

/**
 * Entries in a table of the database.
 * @param now - the time of a write, ISO 8601
 */
export async function openEntries (database: Database, now: () => string): Promise<Entries> {
  await database.define([`CREATE TABLE IF NOT EXISTS entries (
    id ${database.identity},
    title TEXT NOT NULL,
    content TEXT NOT NULL,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL
  )`])
  return {
    async list (page, size) {
      const [entries, [count]] = await Promise.all([
        database.query<Entry>(`SELECT ${columns} FROM entries ORDER BY id DESC LIMIT $1 OFFSET $2`, [size, (page - 1) * size]),
        database.query<{ total: number | string }>('SELECT count(*) AS total FROM entries')
      ])
      return { entries, page, size, total: Number(count!.total) }
    },
    async get (id) {
      return (await database.query<Entry>(`SELECT ${columns} FROM entries WHERE id = $1`, [id]))[0]
    },
    async create ({ title, content }) {
      const at = now()
      const [entry] = await database.query<Entry>(
        `INSERT INTO entries (title, content, created_at, updated_at) VALUES ($1, $2, $3, $4) RETURNING ${columns}`, [title, content, at, at])
      return entry!
    },
    async update (id, { title, content }) {
      const [entry] = await database.query<Entry>(
        `UPDATE entries SET title = $1, content = $2, updated_at = $3 WHERE id = $4 RETURNING ${columns}`, [title, content, now(), id])
      return entry
    },
    async delete (id) {
      return (await database.query('DELETE FROM entries WHERE id = $1 RETURNING id', [id])).length > 0
    }
  }
}
