import { fork } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { Worker } from 'node:worker_threads'
import { systemClock } from '@respite/redis'
import t, { type Test } from 'tap'
import { sqliteStore } from '../../src/sql/sqlite.ts'
import { SqliteThread } from '../../src/sql/sqlite-thread.ts'
import type { SqliteAsk, SqliteStart } from '../../src/sql/sqlite-worker.ts'
import type { Closing } from './closing-process.ts'

/** Lets a process close a file of its own, and tells how it ended. */
async function ended (t: Test, closing: Closing) {
  const file = join(t.testdir(), 'sessions.db')
  const child = fork(new URL('./closing-process.ts', import.meta.url), [], { stdio: ['ignore', 'pipe', 'pipe', 'ipc'], env: { ...process.env, CLOSING_PROCESS: JSON.stringify({ file, closing }) } })
  const [[code, signal], said, failed] = await Promise.all([once(child, 'close'), text(child.stdout!), text(child.stderr!)])
  return { code, signal, said: said.trim().split('\n').filter(line => /^[a-zA-Z_ ]+$/.test(line)), failed, file }
}

// Seen: the process ended before `close` had resolved, and calls that were under way with it.
for (const closing of ['store', 'app'] as const) {
  t.test(`a process that closes its ${closing} with log-ins under way ends after them, and leaves no log beside the file`, async t => {
    const { code, signal, said, file } = await ended(t, closing)
    t.same({ code, signal, said }, { code: 0, signal: null, said: ['all are logged in', 'closed'] })
    t.notOk(existsSync(`${file}-wal`))
  })
}

// Seen: SIGABRT, of a driver whose thread was stopped within a statement.
t.test('a statement that goes on for longer than its end is waited for does not end the process, and what waits behind it is refused', async t => {
  const { code, signal, said, failed } = await ended(t, 'endless')
  t.same({ code, signal }, { code: 0, signal: null }, failed)
  t.same(said.sort(), ['FST_RSP_SESSION_STORE_CLOSED', 'closed'])
})

t.test('once it closes, a store refuses every call as closed, and closing it again waits for the same end', async t => {
  const file = join(t.testdir(), 'sessions.db')
  const store = sqliteStore(file)
  await store.open({ migrate: true, clock: systemClock })
  const found = store.find('nobody')
  const closing = store.close()
  await t.rejects(store.find('nobody'), { code: 'FST_RSP_SESSION_STORE_CLOSED', message: 'the session store is closed' })
  await t.rejects(store.revoke({ owner: 'ada' }), { code: 'FST_RSP_SESSION_STORE_CLOSED' })
  t.ok(await found, 'what was asked before is answered')
  await Promise.all([closing, store.close()])
  t.notOk(existsSync(`${file}-wal`))
  await store.close()
  await t.rejects(store.find('nobody'), { code: 'FST_RSP_SESSION_STORE_CLOSED' })
})

t.test('a file that was never used closes at once', async () => {
  await sqliteStore('never.db').close()
  await new SqliteThread({ file: 'never.db', driver: 'libsql' }).close()
})

// Seen: each statement that waited closed the file again, which node:sqlite refuses: the worker ended by an error.
t.test('a worker that ends with several statements waiting closes each of its connections once', async t => {
  const start: SqliteStart = {
    file: join(t.testdir(), 'sessions.db'),
    driver: new URL('./closed-once-driver.mjs', import.meta.url).href,
    ending: new Int32Array(new SharedArrayBuffer(4))
  }
  Atomics.store(start.ending, 0, 1)
  const worker = new Worker(new URL('../../src/sql/sqlite-worker.ts', import.meta.url), { workerData: start })
  const failures: Error[] = []
  worker.on('error', error => { failures.push(error) })
  for (let id = 1; id <= 3; id++) worker.postMessage({ id, connection: 'reader', text: 'SELECT 1', params: [] } satisfies SqliteAsk)
  const [code] = await once(worker, 'exit')
  t.same({ code, failures }, { code: 0, failures: [] })
})
