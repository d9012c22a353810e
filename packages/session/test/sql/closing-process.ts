import redis, { systemClock } from '@respite/redis'
import session, { type SessionStore, sqliteStore } from '@respite/session'
import Fastify from 'fastify'
import { ownerOfUser } from '../../src/owner.ts'
import { SqliteDatabase } from '../../src/sql/sqlite.ts'
import { SqliteThread } from '../../src/sql/sqlite-thread.ts'

/** How a process closes its file, with calls under way. */
export type Closing = 'store' | 'app' | 'endless'

const { file, closing } = JSON.parse(process.env.CLOSING_PROCESS!) as { file: string, closing: Closing }
const say = (line: string) => { process.stdout.write(`${line}\n`) }

function logIn (store: SessionStore): void {
  const logins = Array.from({ length: 50 }, (_, i) => store.login({
    owner: ownerOfUser(`user${i}`), tag: `tag${i}`.padEnd(22, '-'), hash: `hash${i}`, sid: `sid${i}`, fields: new Map(), idleMs: 60_000, absoluteMs: 60_000, max: 1, onExceed: 'replace', replaces: undefined
  }))
  Promise.all(logins).then(() => say('all are logged in'), (error: Error) => say(error.message))
}

const ways: Record<Closing, () => Promise<void>> = {
  async store () {
    const store = sqliteStore(file)
    await store.open({ migrate: true, clock: systemClock })
    logIn(store)
    await store.close()
  },
  async app () {
    const app = Fastify()
    const durable = sqliteStore(file)
    await app.register(redis, { embedded: true })
    await app.register(session, { secrets: ['a-secret-of-at-least-thirty-two-bytes'], durable, migrate: true })
    await app.ready()
    logIn(durable)
    await app.close()
  },
  async endless () {
    const database = new SqliteDatabase(new SqliteThread({ file, driver: 'libsql' }), 0)
    const count = (rows: number) => database.query(`SELECT count(*) FROM (WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${rows}) SELECT i FROM n)`)
    await count(1)
    const startMs = performance.now()
    await count(1_000_000)
    // Some 6 s, however fast the machine: longer than its end is waited for.
    count(Math.round(6e9 / (performance.now() - startMs))).catch(() => undefined)
    database.query('SELECT 1').then(() => say('asked too late'), (error: { code: string }) => say(error.code))
    await database.close()
  }
}

await ways[closing]()
say('closed')
