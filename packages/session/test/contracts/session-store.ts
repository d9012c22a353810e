import { randomBytes } from 'node:crypto'
import type { Clock } from '@respite/redis'
import type { Test } from 'tap'
import { ownerOfUser, ownerOfVisitor } from '../../src/owner.ts'
import { isLive, type LiveSession, type LoginRequest, type SessionStore } from '../../src/stores/store.ts'
import { hashOf, newTag } from '../../src/token.ts'

/** How a store under test is reached. */
export interface StoreUnderTest {
  readonly store: SessionStore
  /** Lets time pass for the store; undefined: its clock is a server's own. */
  readonly pass?: (ms: number) => void
  /** Whether rows stay until Redis has confirmed. */
  readonly pending: boolean
  /** Tags follow from the owner; undefined: a new owner takes the one it is given. */
  readonly ownTags?: true
  /** What has ended is gone at once: it takes no place, nobody counts what is alive, and there are no sessions of other libraries. */
  readonly forgets?: true
}

const id = () => randomBytes(12).toString('base64url')
const fields = (data: Record<string, unknown> = {}) => new Map(Object.entries(data).map(([name, value]) => [name, JSON.stringify(value)]))

/** A clock that a test moves by hand. */
export function handClock (): Clock & { pass (ms: number): void } {
  let now = 1_000_000
  return { wallMs: () => 1_700_000_000_000 + now, monotonicMs: () => now, pass: ms => { now += ms } }
}

function request (user: string, change: Partial<LoginRequest> = {}): LoginRequest {
  return {
    owner: ownerOfUser(user),
    tag: newTag(),
    hash: hashOf(id()),
    sid: id(),
    fields: fields(),
    idleMs: 60_000,
    absoluteMs: 600_000,
    max: 1,
    onExceed: 'replace',
    replaces: undefined,
    ...change
  }
}

/** What every store must do; run once for each implementation. */
export function sessionStoreContract (t: Test, open: (t: Test) => Promise<StoreUnderTest>): void {
  let under: StoreUnderTest
  let store: SessionStore
  let users = 0
  const user = () => `user-${++users}`
  const live = async (hash: string): Promise<LiveSession | undefined> => {
    const found = await store.find(hash)
    return isLive(found) ? found : undefined
  }

  t.before(async () => {
    under = await open(t)
    store = under.store
  })

  t.test('finds what was logged in, with its data and what it has left', async t => {
    const asked = request(user(), { fields: fields({ cart: ['tea'], 'näme:{*}': null, __proto__x: 1 }) })
    const made = await store.login(asked)
    const found = await live(asked.hash)
    t.match(found, { sid: asked.sid, userId: asked.owner.userId, version: 1, superseded: false, capped: false, hash: asked.hash })
    t.same([...found!.fields].sort(), [['__proto__x', '1'], ['cart', '["tea"]'], ['näme:{*}', 'null']])
    t.ok(found!.leftMs > 50_000 && found!.leftMs <= 60_000)
    t.ok(found!.authAgeMs >= 0 && found!.authAgeMs < 10_000)
    if (!under.ownTags) t.equal(made.tag, asked.tag)
    t.equal(await store.tagOf(asked.owner.owner), made.tag)
  })

  t.test('finds nothing under a hash it never had', async t => {
    t.same(await store.find(hashOf('nobody')), { reuse: undefined })
  })

  t.test('keeps a tag for ever, and ends the session before', async t => {
    const name = user()
    const [first, second] = [request(name), request(name)]
    const { tag } = await store.login(first)
    const made = await store.login(second)
    t.equal(made.tag, tag)
    t.same([made.dead, made.ended], [[{ hash: first.hash, sid: first.sid }], [first.sid]])
    t.equal(await live(first.hash), undefined)
    t.ok(await live(second.hash))
  })

  t.test('of many logins at once exactly one lives', async t => {
    const name = user()
    const all = Array.from({ length: 20 }, () => request(name))
    const made = await Promise.all(all.map(one => store.login(one)))
    const alive = (await Promise.all(all.map(one => live(one.hash)))).filter(found => found !== undefined)
    t.equal(alive.length, 1)
    t.equal(new Set(made.map(one => one.tag)).size, 1)
    t.equal(made.flatMap(one => one.ended).length, 19)
    t.equal((await store.list(ownerOfUser(name).owner)).length, 1)
  })

  t.test('evicts the oldest beyond max, counting sessions', async t => {
    const name = user()
    const all = Array.from({ length: 4 }, () => request(name, { max: 2, onExceed: 'evict-oldest' }))
    for (const one of all) await store.login(one)
    t.same((await store.list(ownerOfUser(name).owner)).map(info => info.id), [all[3]!.sid, all[2]!.sid])
  })

  t.test('refuses beyond max, and leaves what was there', async t => {
    const name = user()
    const first = request(name, { onExceed: 'reject' })
    await store.login(first)
    await t.rejects(store.login(request(name, { onExceed: 'reject' })), { code: 'FST_RSP_SESSION_LIMIT' })
    t.ok(await live(first.hash))
    const again = request(name, { onExceed: 'reject', replaces: first.sid })
    await store.login(again)
    t.equal(await live(first.hash), undefined)
  })

  t.test('makes an id once, if told to: neither beside the session nor after its end', async t => {
    if (under.forgets) return
    const once = request(user(), { onExceed: 'reject', countEnded: true, idleMs: 400 })
    await store.login(once)
    const again = () => store.login({ ...once, hash: hashOf(id()) })
    await t.rejects(again(), { code: 'FST_RSP_SESSION_LIMIT' })
    if (under.pass) under.pass(500)
    else await until(async () => await live(once.hash) === undefined)
    await t.rejects(again(), { code: 'FST_RSP_SESSION_LIMIT' }, 'its row is there still')
    await store.purge(1_000)
    await again()
  })

  t.test('tells the sessions of other libraries from its own, and neither from what keeps an id from being made again', async t => {
    if (under.forgets) return t.strictSame([await store.count(), await store.countPeers(), await store.peers(9)], [undefined, 0, []])
    const [all, peers] = [(await store.count())!, await store.countPeers()]
    const [own, peer, ended] = [request(user()), request(user(), { sid: `.${id().slice(1)}`, fields: fields({ data: { a: 1 } }) }), request(user(), { sid: `!${id().slice(1)}` })]
    for (const one of [own, peer, ended]) await store.login(one)
    t.same([(await store.count())! - all, await store.countPeers() - peers], [2, 1])
    const row = (await store.peers(1_000)).find(row => row.sid === peer.sid)!
    t.match(row, { owner: peer.owner.owner, tag: peer.tag })
    t.same([...row.fields], [['data', '{"a":1}']])
    t.ok(row.leftMs > 50_000 && row.leftMs <= 60_000)
    t.equal((await store.peers(1)).length, 1)
    await store.revoke({ owner: peer.owner.owner })
    t.equal((await store.peers(1_000)).find(row => row.sid === peer.sid), undefined)
  })

  t.test('revokes one, all others, and all; a repeated revoke ends nothing', async t => {
    const name = user()
    const { owner } = ownerOfUser(name)
    const all = Array.from({ length: 4 }, () => request(name, { max: 9, onExceed: 'evict-oldest' }))
    const tags = []
    for (const one of all) tags.push((await store.login(one)).tag)
    const one = await store.revoke({ owner, sid: all[0]!.sid })
    t.same(one.ended, [all[0]!.sid])
    t.equal(one.tag, tags[0])
    t.same((await store.revoke({ owner, sid: all[0]!.sid })).ended, [])
    const others = await store.revoke({ owner, except: all[3]!.sid })
    t.same([...others.ended].sort(), [all[1]!.sid, all[2]!.sid].sort())
    t.ok(await live(all[3]!.hash))
    t.same((await store.revoke({ owner })).ended, [all[3]!.sid])
    t.same(await store.list(owner), [])
    t.same(await store.revoke({ owner: ownerOfUser('never').owner }), { tag: undefined, dead: [], ended: [] })
  })

  t.test('tells which of many sessions live, under which hash and for how long', async t => {
    const all = Array.from({ length: 5 }, () => request(user(), { idleMs: 20_000 }))
    const tags = new Map<string, string>()
    for (const one of all) tags.set(one.sid, (await store.login(one)).tag)
    const [alive, ended, rotated, capped, idle] = all as [LoginRequest, LoginRequest, LoginRequest, LoginRequest, LoginRequest]
    await store.revoke({ owner: ended.owner.owner })
    const next = hashOf(id())
    await store.rotate({ owner: rotated.owner.owner, hash: rotated.hash, next, graceMs: 1_000 })
    await store.touch(capped.hash, 900_000)
    await store.touch(idle.hash, 1)
    if (under.pass) under.pass(5)
    else await until(async () => await live(idle.hash) === undefined)
    const living = await store.living([...all.map(one => one.sid), id()])
    t.same([...living.keys()].sort(), [alive, rotated, capped].map(one => one.sid).sort())
    t.match(living.get(alive.sid), { hash: alive.hash, tag: tags.get(alive.sid)!, capped: false })
    t.match(living.get(rotated.sid), { hash: next, tag: tags.get(rotated.sid)! }, 'the successor of a rotated one')
    t.equal(living.get(capped.sid)!.capped, true)
    t.ok(living.get(alive.sid)!.leftMs > 10_000 && living.get(alive.sid)!.leftMs <= 20_000)
    t.ok(living.get(capped.sid)!.leftMs > 500_000)
    t.equal((await store.living([])).size, 0)
    t.equal((await store.living(Array.from({ length: 300 }, (_, i) => i === 299 ? alive.sid : id()))).size, 1)
  })

  t.test('does not revoke another owner\'s session by its id', async t => {
    const [mine, theirs] = [request(user()), request(user())]
    await store.login(mine)
    await store.login(theirs)
    t.same((await store.revoke({ owner: mine.owner.owner, sid: theirs.sid })).ended, [])
    t.ok(await live(theirs.hash))
    t.equal(await store.ownerOfSession(theirs.sid), theirs.owner.owner)
    t.equal(await store.ownerOfSession(id()), undefined)
  })

  t.test('an id that no session can have is found nowhere, and ends nothing', async t => {
    const asked = request(user())
    const { owner } = asked.owner
    await store.login(asked)
    for (const strange of ['', 'ä😀', 'a\0b', `${asked.sid} `, asked.sid.toUpperCase() + asked.sid.toLowerCase(), '\ud800']) {
      t.equal(await store.ownerOfSession(strange), undefined)
      t.same((await store.revoke({ owner, sid: strange })).ended, [])
      t.ok(await live(asked.hash))
    }
    t.same((await store.revoke({ owner, except: 'ä\0' })).ended, [asked.sid])
    t.equal(await live(asked.hash), undefined)
  })

  t.test('keeps what is not confirmed as pending, and forgets it once confirmed', async t => {
    if (!under.pending) return t.same(await store.pending(10), [])
    const name = user()
    const asked = request(name)
    await store.login(asked)
    await store.revoke({ owner: asked.owner.owner })
    const mine = async () => (await store.pending(10_000)).filter(row => row.hash === asked.hash)
    t.match(await mine(), [{ hash: asked.hash, tag: asked.tag, dead: true, pend: 2 }])
    t.equal(await store.ownerOfSession(asked.sid), asked.owner.owner, 'somebody may want to end it as well')
    const made = await store.login(request(name))
    t.same([made.dead, made.ended], [[{ hash: asked.hash, sid: asked.sid }], []], 'the next login tells Redis of it, and has not ended it')
    await store.confirm([asked.hash], [])
    t.same(await mine(), [])
  })

  t.test('marks a save that Redis does not have, until that very save is confirmed', async t => {
    if (!under.pending) return t.same(await store.pending(10), [])
    const asked = request(user())
    await store.login(asked)
    const save = () => store.save({ hash: asked.hash, set: fields({ a: 1 }), deleted: [], conflict: 'merge', loaded: 1, maxBytes: 1_000 })
    await save()
    await store.markPending(asked.hash)
    const seen = (await store.pending(10_000)).find(row => row.hash === asked.hash)!
    t.match(seen, { dead: false, pend: 2 })
    await save()
    await store.markPending(asked.hash)
    await store.confirm([], [seen])
    t.match((await store.pending(10_000)).find(row => row.hash === asked.hash), { pend: 3 })
    await store.confirm([asked.hash], [{ ...seen, pend: 3 }])
    t.equal((await store.pending(10_000)).find(row => row.hash === asked.hash), undefined)
    t.ok(await live(asked.hash), 'a live row is not forgotten')
  })

  t.test('T15: a session that is given another hash answers under both within the grace, with one data; later the old one is reuse', async t => {
    const asked = request(user(), { fields: fields({ a: 1 }) })
    await store.login(asked)
    const [next, owner] = [hashOf(id()), asked.owner.owner]
    const rotated = await store.rotate({ owner, hash: asked.hash, next, graceMs: 60_000 })
    t.match(rotated!.row, { hash: next, sid: asked.sid, userId: asked.owner.userId, superseded: false })
    t.ok(rotated!.row.issuedAgeMs < 10_000 && rotated!.row.leftMs > 30_000)
    const row = (await store.pending(10_000)).find(one => one.hash === asked.hash)
    if (under.pending) t.same(row, rotated!.superseded)
    await store.confirm([], [rotated!.superseded])
    t.equal((await store.pending(10_000)).find(one => one.hash === asked.hash), undefined)
    t.equal(await store.touch(asked.hash, 60_000), undefined, 'what is superseded is not prolonged')
    t.match(await store.save({ hash: asked.hash, set: fields({ b: 2 }), deleted: [], conflict: 'merge', loaded: 1, maxBytes: 1_000 }), { outcome: 'saved', hash: next })
    for (const [hash, superseded] of [[asked.hash, true], [next, false]] as const) {
      const found = await live(hash)
      t.match(found, { hash: next, superseded })
      t.same([...found!.fields].sort(), [['a', '1'], ['b', '2']])
    }
    t.equal((await store.list(owner)).length, 1)
    const last = hashOf(id())
    await store.rotate({ owner, hash: next, next: last, graceMs: 1 })
    if (under.pass) under.pass(5)
    else await until(async () => await live(next) === undefined)
    t.match(await store.find(next), { reuse: { sid: asked.sid, owner } })
    t.ok(await live(last))
  })

  // Seen in the drill session-history: a save that took longer than the grace was answered with 200, and lost.
  t.test('T5: a save through a hash that was superseded on its way reaches the session, however long ago and often that was', async t => {
    const asked = request(user())
    await store.login(asked)
    const owner = asked.owner.owner
    const [second, third] = [hashOf(id()), hashOf(id())]
    await store.rotate({ owner, hash: asked.hash, next: second, graceMs: 1 })
    await store.rotate({ owner, hash: second, next: third, graceMs: 1 })
    if (under.pass) under.pass(5)
    else await until(async () => await live(second) === undefined)
    const save = (hash: string, set: Record<string, unknown>) => store.save({ hash, set: fields(set), deleted: [], conflict: 'merge', loaded: 1, maxBytes: 1_000 })
    for (const [i, hash] of [asked.hash, second, third].entries()) t.match(await save(hash, { [`f${i}`]: i }), { outcome: 'saved', hash: third })
    t.equal(await live(asked.hash), undefined, 'and the grace is over all the same')
    t.equal((await live(third))!.fields.size, 3)
    await store.revoke({ owner })
    for (const hash of [asked.hash, second, third]) t.same(await save(hash, { late: 1 }), { outcome: 'gone' })
  })

  t.test('T15: of many rotations at once one gives a successor; a revoke ends old and new', async t => {
    const asked = request(user())
    await store.login(asked)
    const owner = asked.owner.owner
    const made = await Promise.all(Array.from({ length: 12 }, async () => store.rotate({ owner, hash: asked.hash, next: hashOf(id()), graceMs: 60_000 })))
    const winners = made.filter(one => one !== undefined)
    t.equal(winners.length, 1)
    t.equal(await store.rotate({ owner, hash: hashOf(id()), next: hashOf(id()), graceMs: 60_000 }), undefined)
    const { ended, dead } = await store.revoke({ owner, sid: asked.sid })
    t.same(ended, [asked.sid])
    t.same(dead.map(one => one.hash).sort(), [asked.hash, winners[0]!.row.hash].sort())
    t.equal(await live(asked.hash), undefined)
    t.equal(await live(winners[0]!.row.hash), undefined)
    t.equal(await store.rotate({ owner, hash: winners[0]!.row.hash, next: hashOf(id()), graceMs: 1 }), undefined, 'what has ended stays so')
  })

  t.test('T5: fields of parallel saves all survive', async t => {
    const asked = request(user())
    await store.login(asked)
    const saves = Array.from({ length: 100 }, (_, i) => store.save({
      hash: asked.hash, set: fields({ [`f${i}`]: i }), deleted: [], conflict: 'merge', loaded: 1, maxBytes: 100_000
    }))
    t.same(new Set((await Promise.all(saves)).map(saved => saved.outcome)), new Set(['saved']))
    const found = await live(asked.hash)
    t.equal(found!.fields.size, 100)
    t.equal(found!.version, 101)
  })

  t.test('replaces, compares and deletes as the conflict mode says', async t => {
    const asked = request(user(), { fields: fields({ a: 1, b: 2 }) })
    await store.login(asked)
    const save = (set: Record<string, unknown>, deleted: string[], conflict: 'merge' | 'last-wins' | 'compare-and-set', loaded: number) =>
      store.save({ hash: asked.hash, set: fields(set), deleted, conflict, loaded, maxBytes: 1_000 })
    t.match(await save({ c: 3 }, ['a'], 'merge', 1), { outcome: 'saved', version: 2 })
    t.same([...(await live(asked.hash))!.fields], [['b', '2'], ['c', '3']])
    t.same(await save({ c: 4 }, [], 'compare-and-set', 1), { outcome: 'conflict' })
    t.equal((await live(asked.hash))!.version, 2)
    t.match(await save({ c: 5 }, [], 'compare-and-set', 2), { outcome: 'saved', version: 3 })
    t.match(await save({ d: 6 }, [], 'last-wins', 3), { outcome: 'saved', version: 4 })
    t.same([...(await live(asked.hash))!.fields], [['d', '6']])
  })

  t.test('takes what Redis has of a session once: neither twice, nor late, nor over what was saved without Redis', async t => {
    if (under.forgets) return t.pass('there is no row beside what Redis has')
    const asked = request(user(), { fields: fields({ a: 0, b: 0, c: 0 }) })
    await store.login(asked)
    const { hash } = asked
    const flush = (copyVersion: number, changes: Record<string, [seq: number, value?: unknown]>, of = hash) => store.flush({
      hash: of, copyVersion, changes: new Map(Object.entries(changes).map(([name, [seq, value]]) => [name, { seq, json: value === undefined ? undefined : JSON.stringify(value) }]))
    })
    const now = async () => Object.fromEntries([...(await live(hash))!.fields].map(([name, json]) => [name, JSON.parse(json)]))
    t.match(await flush(1, { a: [7, 1], b: [5] }), { outcome: 'saved', hash, version: 2, stale: false })
    t.same(await now(), { a: 1, c: 0 })
    t.match(await live(hash), { flushedSeq: 7, version: 2 })
    t.match(await flush(1, { a: [6, 'late'], b: [5, 'late'] }), { stale: false })
    t.same(await now(), { a: 1, c: 0 })
    await store.save({ hash, set: fields({ a: 'through', __proto__x: 1 }), deleted: ['c'], conflict: 'merge', loaded: 1, maxBytes: 1_000, through: true })
    const through = (await live(hash))!.version
    t.match(await flush(2, { a: [8, 'older'], c: [9, 'older'], d: [10, 1] }), { stale: true })
    t.same(await now(), { a: 'through', d: 1, __proto__x: 1 })
    t.match(await flush(through, { a: [11, 'newer'] }), { stale: false }, 'a copy that knows of it')
    t.same(await now(), { a: 'newer', d: 1, __proto__x: 1 })
    const next = hashOf(id())
    await store.rotate({ owner: asked.owner.owner, hash, next, graceMs: 1 })
    if (under.pass) under.pass(5)
    else await until(async () => await live(hash) === undefined)
    t.match(await flush(through, { d: [11, 'late'], e: [12, 1] }), { outcome: 'saved', hash: next }, 'the successor has it, also after the grace')
    t.same([...(await live(next))!.fields].sort(), [['__proto__x', '1'], ['a', '"newer"'], ['d', '1'], ['e', '1']])
    await store.revoke({ owner: asked.owner.owner })
    t.same(await flush(through, { a: [99, 1] }, next), { outcome: 'gone' })
    t.same(await flush(through, { a: [99, 1] }, hashOf(id())), { outcome: 'gone' })
  })

  t.test('refuses a save beyond the bound, and keeps the session as it was', async t => {
    const asked = request(user(), { fields: fields({ a: 1 }) })
    await store.login(asked)
    await t.rejects(store.save({ hash: asked.hash, set: fields({ b: 'x'.repeat(300) }), deleted: [], conflict: 'merge', loaded: 1, maxBytes: 256 }), { code: 'FST_RSP_SESSION_TOO_LARGE' })
    t.match(await live(asked.hash), { version: 1 })
  })

  t.test('T2: a save or touch after the end brings nothing back', async t => {
    const asked = request(user())
    await store.login(asked)
    await store.revoke({ owner: asked.owner.owner })
    t.same(await store.save({ hash: asked.hash, set: fields({ a: 1 }), deleted: [], conflict: 'merge', loaded: 1, maxBytes: 1_000 }), { outcome: 'gone' })
    t.equal(await store.touch(asked.hash, 60_000), undefined)
    t.equal(await live(asked.hash), undefined)
  })

  t.test('prolongs by touch, and never beyond the absolute end', async t => {
    const asked = request(user(), { idleMs: 5_000, absoluteMs: 60_000 })
    await store.login(asked)
    const touched = await store.touch(asked.hash, 30_000)
    t.match(touched, { capped: false })
    t.ok(touched!.leftMs > 25_000 && touched!.leftMs <= 30_000)
    const capped = await store.touch(asked.hash, 90_000)
    t.match(capped, { capped: true })
    t.ok(capped!.leftMs <= 60_000)
    t.match(await live(asked.hash), { capped: true })
  })

  t.test('a remembered session keeps the idle time of its login, through touches and another hash', async t => {
    const [asked, other] = [request(user(), { idleMs: 300_000, absoluteMs: 400_000, remembered: true }), request(user())]
    for (const one of [asked, other]) await store.login(one)
    t.match(await live(asked.hash), { rememberMs: 300_000 })
    const { owner } = asked.owner
    const next = hashOf(id())
    await store.rotate({ owner, hash: asked.hash, next, graceMs: 5_000 })
    const touched = await store.touch(next, 1_000)
    t.ok(touched!.leftMs > 290_000 && touched!.leftMs <= 300_000, `${touched!.leftMs} ms`)
    const found = await live(next)
    t.match(found, { rememberMs: 300_000, capped: false })
    t.ok(found!.endLeftMs > 390_000 && found!.endLeftMs <= 400_000, `${found!.endLeftMs} ms`)
    t.match(await store.list(owner), [{ id: asked.sid, remembered: true }])
    t.match(await store.touch(other.hash, 5_000), { capped: false })
    t.ok((await live(other.hash))!.leftMs <= 5_000)
    t.match(await store.list(other.owner.owner), [{ remembered: false }])
    t.match(await live(other.hash), { rememberMs: undefined })
  })

  t.test('ends by idleness and by age, and deletes what has ended', async t => {
    const [idle, old, young] = [request(user(), { idleMs: 400 }), request(user(), { idleMs: 400, absoluteMs: 400 }), request(user())]
    for (const one of [idle, old, young]) await store.login(one)
    t.ok(await live(idle.hash))
    if (under.pass) under.pass(500)
    else await until(async () => await live(idle.hash) === undefined && await live(old.hash) === undefined)
    t.equal(await live(idle.hash), undefined)
    t.equal(await store.touch(idle.hash, 60_000), undefined)
    t.equal(await live(old.hash), undefined)
    const purged = (await store.purge(1_000)).map(row => row.sid)
    if (under.forgets) t.same(purged, [])
    else t.ok(purged.includes(idle.sid) && purged.includes(old.sid) && !purged.includes(young.sid))
    t.ok(await live(young.hash))
  })

  // Seen: a session of 12 hours that had rotated 47 times told 48 times that it had expired, one that had idled out told it again hours later.
  t.test('a rotated session expires once, and one that was ended never', async t => {
    const [rotated, ended] = [request(user(), { idleMs: 400, absoluteMs: 400 }), request(user(), { idleMs: 400, absoluteMs: 400 })]
    for (const one of [rotated, ended]) await store.login(one)
    const next = hashOf(id())
    t.ok(await store.rotate({ owner: rotated.owner.owner, hash: rotated.hash, next, graceMs: 100 }))
    await store.revoke({ owner: ended.owner.owner })
    if (under.pass) under.pass(500)
    else await until(async () => await live(next) === undefined)
    const ours = (await store.purge(1_000)).filter(row => [rotated.sid, ended.sid].includes(row.sid))
    t.same(ours.filter(row => row.expired).map(row => row.sid), under.forgets ? [] : [rotated.sid])
    t.match(await store.find(next), { reuse: undefined })
  })

  t.test('a visitor\'s session has an owner of its own, which goes with it', async t => {
    const sid = id()
    const asked = request('-', { owner: ownerOfVisitor(sid), sid, idleMs: 300, fields: fields({ cart: 1 }) })
    await store.login(asked)
    t.match(await live(asked.hash), { userId: undefined, sid })
    t.same(await store.list(asked.owner.owner), [])
    if (under.pass) under.pass(500)
    else await until(async () => await live(asked.hash) === undefined)
    await store.purge(1_000)
    // A key lives until the millisecond of its end is over.
    if (under.forgets) await until(async () => await store.tagOf(asked.owner.owner) === undefined)
    t.equal(await store.tagOf(asked.owner.owner), undefined)
  })

  t.test('lists times of day, and counts what is alive', async t => {
    const before = await store.count()
    const asked = request(user())
    await store.login(asked)
    if (!under.forgets) t.equal(await store.count(), before! + 1)
    const [info] = await store.list(asked.owner.owner)
    t.match(info, { id: asked.sid, userId: asked.owner.userId })
    t.ok(info!.expiresAt.getTime() - info!.createdAt.getTime() >= 600_000 - 50)
    t.ok(info!.idleUntil < info!.expiresAt)
    await store.revoke({ owner: asked.owner.owner })
    t.equal(await store.count(), before)
  })
}

async function until (holds: () => Promise<boolean>): Promise<void> {
  const { until } = await import('@respite/testing')
  await until('the store\'s clock', holds)
}
