import { mkdtempSync, rmSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '@respite/redis'
import t from 'tap'
import { ownerOfUser } from '../../src/owner.ts'
import { sqliteStore } from '../../src/sql/sqlite.ts'
import { sessionStoreContract } from '../contracts/session-store.ts'

const folder = mkdtempSync(join(tmpdir(), 'respite-session-'))
t.teardown(() => rmSync(folder, { recursive: true, force: true }))

t.test('a file', async t => {
  sessionStoreContract(t, async t => {
    const store = sqliteStore(join(folder, 'contract.db'))
    t.teardown(() => store.close())
    await store.open({ migrate: true, clock: systemClock })
    return { store, pending: true }
  })
})

t.test('a file, by Node\'s own driver', { skip: isBuiltin('node:sqlite') ? false : `Node ${process.version} has no node:sqlite` }, async t => {
  sessionStoreContract(t, async t => {
    const store = sqliteStore(join(folder, 'node.db'), { driver: 'node:sqlite' })
    t.teardown(() => store.close())
    await store.open({ migrate: true, clock: systemClock })
    return { store, pending: true }
  })
})

t.test('where Node has no driver of its own, says which option wants it and which Node has it', { skip: isBuiltin('node:sqlite') ? `Node ${process.version} has node:sqlite` : false }, async t => {
  t.throws(() => sqliteStore(join(folder, 'a.db'), { driver: 'node:sqlite' }), {
    code: 'FST_RSP_SESSION_NODE_SQLITE', message: new RegExp(`driver: 'node:sqlite' needs Node 22.13 or newer, this is ${process.versions.node}`)
  })
})

t.test('two processes that share a file wait for each other without blocking', async t => {
  const file = join(folder, 'shared.db')
  const stores = [sqliteStore(file, { busyMs: 20_000 }), sqliteStore(file, { busyMs: 20_000 })]
  t.teardown(() => Promise.all(stores.map(store => store.close())))
  await Promise.all(stores.map(store => store.open({ migrate: true, clock: systemClock })))
  const logins = Array.from({ length: 60 }, (_, i) => stores[i % 2]!.login({
    owner: ownerOfUser('ada'), tag: `tag${i}`.padEnd(22, '-'), hash: `hash${i}`, sid: `sid${i}`, fields: new Map(), idleMs: 60_000, absoluteMs: 60_000, max: 1, onExceed: 'replace', replaces: undefined
  }))
  const made = await Promise.all(logins)
  t.equal(made.flatMap(one => one.ended).length, 59)
  t.equal((await stores[0]!.list(ownerOfUser('ada').owner)).length, 1)
})

t.test('says that a schema is missing, and which migration makes it', async t => {
  const store = sqliteStore(join(folder, 'empty.db'))
  t.teardown(() => store.close())
  await t.rejects(store.open({ migrate: false, clock: systemClock }), { code: 'FST_RSP_SESSION_SCHEMA', message: /missing.*1-sessions/ })
  await store.open({ migrate: true, clock: systemClock })
  await store.open({ migrate: false, clock: systemClock })
})

t.test('a file that cannot be opened, and a driver that is not there, are said', async t => {
  const nowhere = sqliteStore(join(folder, 'no', 'such', 'folder.db'))
  t.teardown(() => nowhere.close())
  await t.rejects(nowhere.open({ migrate: true, clock: systemClock }), { code: /FST_RSP_SESSION_(WORKER|SQLITE)/ })
  const driver = 'better-sqlite3'
  const without = sqliteStore(join(folder, 'a.db'), { driver })
  t.teardown(() => without.close())
  await t.rejects(without.open({ migrate: true, clock: systemClock }), { code: 'FST_RSP_SESSION_DRIVER' })
})
