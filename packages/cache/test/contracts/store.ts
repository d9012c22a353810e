import type { Test } from 'tap'
import { randomToken } from '@respite/redis'
import { until } from '@respite/testing'
import { parsePattern } from '../../src/pattern.ts'
import { encodeRecord, recordId } from '../../src/record.ts'
import type { LeaseRequest, Store } from '../../src/stores/store.ts'

/** A store of a namespace nobody else uses. */
export type StoreMaker = () => Store

const lease = (more: Partial<LeaseRequest> = {}): LeaseRequest => ({ token: randomToken(), leaseMs: 10_000, except: '', waited: '', ...more })
const recordOf = (body = '1', id = randomToken()) => encodeRecord({ id, snapshot: { ns: randomToken(), tags: new Map() }, costMs: 0, ttlMs: 60_000, body })
const entry = (body = '1', softMs = 60_000, hardMs = 60_000) => ({ record: recordOf(body), softMs, hardMs })
const bodyOf = (record: Buffer | undefined) => record?.subarray(-1).toString()
const ask = (store: Store, key: string, request?: LeaseRequest) => store.read(request === undefined ? { key, tags: [] } : { key, tags: [], lease: request })

/** What every store of the cache does: the atomic steps of the protocol, one by one. */
export function storeContract (t: Test, name: string, make: StoreMaker): void {
  t.test(`${name}: one asks with a lease and fills, the others wait, then all hit`, async t => {
    const store = make()
    const [first, second] = [lease(), lease()]
    t.match(await ask(store, 'k', first), { state: 'MISS', lease: 'LEASED', record: undefined })
    t.match(await ask(store, 'k', second), { state: 'MISS', lease: 'WAIT', holder: first.token })
    t.match(await ask(store, 'k', first), { lease: 'LEASED' }, 'who holds it may ask again')
    t.equal(await store.fill('k', second.token, entry()), false)
    t.equal(await store.fill('k', first.token, entry('7')), true)
    const hit = await ask(store, 'k', second)
    t.match(hit, { state: 'HIT', lease: '' })
    t.equal(bodyOf(hit.record), '7')
    t.ok(hit.leftMs > 30_000 && hit.leftMs <= 60_000, `${hit.leftMs} ms left`)
    t.equal(await store.fill('k', first.token, entry()), false, 'a lease fills once')
  })

  t.test(`${name}: looking takes no lease`, async t => {
    const store = make()
    t.match(await ask(store, 'k'), { state: 'MISS', lease: '' })
    t.match(await ask(store, 'k', lease()), { lease: 'LEASED' })
    t.match(await ask(store, 'k'), { state: 'MISS', lease: '' })
    await store.put('k', entry('3'))
    t.equal(bodyOf((await ask(store, 'k')).record), '3')
  })

  t.test(`${name}: drop, put and soften end the lease, so that an older fill is refused`, async t => {
    const store = make()
    for (const end of [() => store.drop('k'), () => store.put('k', entry('2')), () => store.soften('k')]) {
      const mine = lease()
      await store.drop('k')
      t.match(await ask(store, 'k', mine), { lease: 'LEASED' })
      await end()
      t.equal(await store.fill('k', mine.token, entry('9')), false)
      t.not(bodyOf((await ask(store, 'k')).record), '9')
    }
  })

  t.test(`${name}: open takes the lease from whoever has it; a refused fill leaves what is there, or drops it`, async t => {
    const store = make()
    const [mine, writer, other] = [lease(), randomToken(), randomToken()]
    await ask(store, 'k', mine)
    await store.open('k', writer, 10_000)
    t.match(await ask(store, 'k', lease()), { lease: 'WAIT', holder: writer })
    t.equal(await store.fill('k', mine.token, entry('1')), false)
    t.equal(await store.fill('k', writer, entry('2')), true)
    t.equal(bodyOf((await ask(store, 'k')).record), '2')
    await store.open('k', writer, 10_000)
    await store.open('k', other, 10_000)
    t.equal(await store.fill('k', mine.token, { ...entry('3'), onRefuse: 'leave' }), false)
    t.equal((await ask(store, 'k')).state, 'HIT')
    t.equal(await store.fill('k', writer, { ...entry('3'), onRefuse: 'drop' }), false)
    t.equal((await ask(store, 'k')).state, 'MISS')
    t.equal(await store.fill('k', other, entry('4')), false, 'its lease went, too')
  })

  t.test(`${name}: drop and soften say how many entries they met`, async t => {
    const store = make()
    t.equal(await store.drop('k'), 0)
    t.equal(await store.soften('k'), 0)
    await store.put('k', entry())
    t.equal(await store.soften('k'), 1)
    t.equal(await store.drop('k'), 1)
  })

  t.test(`${name}: a softened entry is stale, with a lease for one`, async t => {
    const store = make()
    await store.put('k', entry('5'))
    await store.soften('k')
    const mine = lease()
    const stale = await ask(store, 'k', mine)
    t.match(stale, { state: 'STALE', lease: 'LEASED' })
    t.equal(bodyOf(stale.record), '5')
    t.match(await ask(store, 'k', lease()), { state: 'STALE', lease: 'WAIT', holder: mine.token })
    t.match(await ask(store, 'k'), { state: 'STALE', leftMs: 0 })
  })

  t.test(`${name}: entries are stale after their soft expiry and gone after their hard one; leases end by themselves`, async t => {
    const store = make()
    await store.put('k', entry('1', 30, 2_000))
    await until('it is stale', async () => (await ask(store, 'k')).state === 'STALE')
    await until('it is gone', async () => (await ask(store, 'k')).state === 'MISS')
    const frozen = lease({ leaseMs: 50 })
    await ask(store, 'l', frozen)
    const next = lease()
    await until('the lease has ended', async () => (await ask(store, 'l', next)).lease === 'LEASED')
    t.equal(await store.fill('l', frozen.token, entry('1')), false)
    t.equal(await store.fill('l', next.token, entry('2')), true)
  })

  t.test(`${name}: a failed or skipped fill is told to those who waited for it, and to nobody else`, async t => {
    const store = make()
    for (const [how, state] of [['F', 'FAILED'], ['S', 'SKIPPED']] as const) {
      const mine = lease()
      await ask(store, how, mine)
      await store.done(how, mine.token, how)
      t.equal((await ask(store, how, lease({ waited: mine.token }))).state, state)
      t.match(await ask(store, how, lease({ waited: randomToken() })), { state: 'MISS', lease: 'LEASED' })
    }
    const mine = lease()
    await ask(store, 'r', mine)
    await store.done('r', randomToken(), '-')
    t.equal((await ask(store, 'r', lease())).lease, 'WAIT')
    await store.done('r', mine.token, '-')
    t.equal((await ask(store, 'r', lease())).lease, 'LEASED')
  })

  t.test(`${name}: a dead record is asked past, and discarded only while it is the same`, async t => {
    const store = make()
    const dead = entry('1')
    await store.put('k', dead)
    const id = recordId(dead.record)
    t.match(await ask(store, 'k', lease({ except: id })), { state: 'MISS', lease: 'LEASED', record: undefined })
    await store.discard('k', randomToken())
    t.equal((await ask(store, 'k')).state, 'HIT')
    await store.discard('k', id)
    t.equal((await ask(store, 'k')).state, 'MISS')
  })

  t.test(`${name}: nonces are minted once, come with each answer, and change with a bump or clear`, async t => {
    const store = make()
    const before = await store.read({ key: 'k', tags: ['a'] })
    t.equal(before.versions.ns, null)
    t.equal(before.versions.tags.get('a'), null)
    const minted = await store.mint(['a', 'b'], true)
    t.strictSame(await store.mint(['a', 'b'], true), minted)
    const { versions } = await store.read({ key: 'k', tags: ['a', 'b'] })
    t.strictSame(versions, minted)
    await store.bump('a')
    const bumped = await store.versions(['a', 'b'])
    t.not(bumped.get('a'), minted.tags.get('a'))
    t.equal(bumped.get('b'), minted.tags.get('b'))
    await store.clear()
    const cleared = await store.read({ key: 'k', tags: [] })
    t.type(cleared.versions.ns, 'string')
    t.not(cleared.versions.ns, minted.ns)
    await store.keep(['a'], 1_000)
    t.equal((await store.versions(['a'])).get('a'), bumped.get('a'))
  })

  t.test(`${name}: the clock moves with every bump; a tag knows its last one, or what was vouched for it`, async t => {
    const store = make()
    const first = await store.clock()
    t.strictSame(await store.clock(), first)
    t.strictSame((await ask(store, 'k', lease({ clock: true }))).versions.clock, first)
    t.equal(await store.tag('a'), null)
    const { tags } = await store.mint(['a'], false)
    t.match(await store.tag('a'), { nonce: tags.get('a'), g: '!' }, 'nobody vouches for it yet')
    await store.vouch('a', randomToken(), first)
    t.match(await store.tag('a'), { g: '!' }, 'only for the nonce that is there')
    await store.vouch('a', tags.get('a')!, first)
    t.match(await store.tag('a'), { nonce: tags.get('a'), g: first.g, s: first.s })
    await store.bump('a')
    const second = await store.clock()
    t.strictSame(second, { g: first.g, s: first.s + 1 })
    t.match(await store.tag('a'), { g: first.g, s: second.s })
    t.not((await store.tag('a'))!.nonce, tags.get('a'))
  })

  t.test(`${name}: a stale answer says for how long it has been stale; what was softened, 0`, async t => {
    const store = make()
    await store.put('k', entry('1', 1, 60_000))
    await until('it is stale', async () => (await ask(store, 'k')).state === 'STALE')
    const mine = lease()
    const { pastMs } = await ask(store, 'k', mine)
    t.ok(pastMs >= 0 && pastMs < 30_000, `${pastMs}`)
    await until('time passes', async () => (await ask(store, 'k', lease())).pastMs > pastMs)
    await store.done('k', mine.token, '-')
    await store.soften('k')
    t.match(await ask(store, 'k', lease()), { state: 'STALE', lease: 'LEASED', pastMs: 0 })
  })

  t.test(`${name}: a pattern drops what matches, values and leases, and nothing else`, async t => {
    const store = make()
    const keys = ['list:1', 'list:{2}', 'list:*', 'list:\u0000', 'lister', '*', 'xlist:1', 'list%3A5']
    for (const key of keys) await store.put(key, entry())
    const filling = lease()
    await ask(store, 'list:new', filling)
    t.equal(await store.dropPattern(parsePattern('list:*')), 4)
    t.equal(await store.fill('list:new', filling.token, entry()), false)
    for (const key of keys) t.equal((await ask(store, key)).state, key.startsWith('list:') ? 'MISS' : 'HIT', JSON.stringify(key))
    t.equal(await store.dropPattern(parsePattern('*')), 4)
  })
}
