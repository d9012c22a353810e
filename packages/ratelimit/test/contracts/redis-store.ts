import { createKeyspace, type Keyspace, type Link, randomToken } from '@respite/redis'
import { seeded, until } from '@respite/testing'
import type { Test } from 'tap'
import { RedisStore } from '../../src/stores/redis.ts'
import { admitted, algorithmNames, chargesOf, check, peek, rule, take } from '../rules.ts'

/** The server, asked past the link. */
export type Ask = (command: string, ...args: (string | number)[]) => Promise<unknown>

/** What rests in a server, and how the store bears it. @param ask - of the one server there is */
export function redisStoreContract (t: Test, linkOf: () => Link, ask: Ask): void {
  const fresh = () => {
    const keyspace = createKeyspace(randomToken())
    return { store: new RedisStore(linkOf(), keyspace), key: (name: string, subject = 'somebody') => keyOf(keyspace, name, subject) }
  }

  for (const algorithm of algorithmNames) {
    t.test(`hazard 1: ${algorithm}: its key expires, and never later than 16/15 of its window`, async t => {
      const { store, key } = fresh()
      for (let i = 0; i < 3; i++) {
        await take(store, check(rule(algorithm, 2)))
        const ttl = Number(await ask('PTTL', key(algorithm)))
        t.ok(ttl > 0 && ttl <= 64_000, `${ttl} ms`)
      }
    })

    t.test(`hazard 1: ${algorithm}: a key that has lost its expiry is no limit for ever`, async t => {
      const { store, key } = fresh()
      const two = check(rule(algorithm, 2, { windowMs: 250 }))
      await take(store, two)
      await ask('PERSIST', key(algorithm))
      await until('the window to end', async () => (await peek(store, two)).outcomes[0]!.remaining === 2)
      t.match(await take(store, two), { allowed: true })
    })

    t.test(`${algorithm}: after a refund, and after its rule has changed, its key still expires`, async t => {
      const { store, key } = fresh()
      const lives = async (what: string) => {
        const ttl = Number(await ask('PTTL', key(algorithm)))
        t.ok(ttl > 0 && ttl <= 64_000, `${what}: ${ttl} ms`)
      }
      const three = [check(rule(algorithm, 8), 'somebody', 3)]
      await take(store, check(rule(algorithm, 8)))
      await store.refund(chargesOf(three, await take(store, ...three)))
      await lives('a refund')
      for (const changed of [rule(algorithm, 4), rule(algorithm, 8, { windowMs: 30_000 }), rule(algorithm, 6, { windowMs: 45_000 })]) {
        await take(store, check(changed, 'somebody', 2))
        await lives('another rule')
        await peek(store, check(rule(algorithm, 8)))
        await lives('a look by the old one')
      }
    })

    t.test(`${algorithm}: bytes that are not its own count as nothing`, async t => {
      const { store, key } = fresh()
      for (const bytes of ['', 'x', '12345', 'x'.repeat(9), 'x'.repeat(19), 'x'.repeat(115), '\u0000'.repeat(19), '\u0001', '\u0002', '\u0003', '\u0004']) {
        await ask('SET', key(algorithm), bytes)
        t.match(await take(store, check(rule(algorithm, 5))), { allowed: true, outcomes: [{ remaining: 4 }] }, JSON.stringify(bytes.slice(0, 3)))
      }
    })

    t.test(`${algorithm}: whatever has become of its bytes, it answers, and nobody waits longer than its window`, async t => {
      const { below, bytes } = seeded(t)
      const { store, key } = fresh()
      const five = rule(algorithm, 5)
      for (let i = 0; i < 5; i++) await take(store, check(five))
      const length = Number(await ask('STRLEN', key(algorithm)))
      await ask('COPY', key(algorithm), key('good'))
      for (let i = 0; i < 300; i++) {
        await ask('COPY', key('good'), key(algorithm), 'REPLACE')
        const from = 1 + below(length - 1)
        const other = below(3) === 0 ? Buffer.alloc(length - from, 255) : bytes(1 + below(Math.min(6, length - from)))
        await ask('EVAL', overwrite, 1, key(algorithm), from, other.toString('hex'))
        const verdicts = [await peek(store, check(five)), await take(store, check(five, 'somebody', 1 + below(5)))]
        const times = verdicts.flatMap(({ outcomes: [outcome] }) => [outcome!.waitMs, outcome!.resetMs])
        if (times.some(ms => !(ms >= 0 && ms <= 64_000))) t.fail(`${times} ms: ${other.toString('hex')} from ${from} on`)
        await store.refund([{ ...check(five), atMs: verdicts[1]!.outcomes[0]!.atMs }])
      }
    })

    t.test(`${algorithm}: a refund leaves what another algorithm has counted as it was`, async t => {
      const { store, key } = fresh()
      for (const other of algorithmNames.filter(name => name !== algorithm)) {
        await take(store, check(rule(other, 5, { name: 'n' }), other))
        const before = await ask('EVAL', digest, 1, key('n', other))
        await store.refund([{ ...check(rule(algorithm, 5, { name: 'n' }), other), atMs: Date.now() }])
        t.equal(await ask('EVAL', digest, 1, key('n', other)), before, other)
      }
    })

    t.test(`hazard 13: ${algorithm}: a refusal by another limit leaves its bytes as they were`, async t => {
      const { store, key } = fresh()
      const none = rule('fixed-window', 1, { name: 'none' })
      await take(store, check(rule(algorithm, 5)), check(none))
      const bytes = async () => [await ask('EVAL', digest, 1, key(algorithm)), await ask('PEXPIRETIME', key(algorithm))]
      const before = await bytes()
      for (let i = 0; i < 5; i++) t.match(await take(store, check(rule(algorithm, 5)), check(none)), { allowed: false })
      t.same(await bytes(), before)
      await take(store, check(rule(algorithm, 5)))
      t.notSame((await bytes())[0], before[0], 'and an admission does not')
    })
  }

  t.test('fixed-window: what a shorter window has ended stays ended when it is longer again', async t => {
    const { store } = fresh()
    const [long, short] = [rule('fixed-window', 3), rule('fixed-window', 3, { windowMs: 2 })]
    await take(store, check(long, 'somebody', 3))
    await until('the shorter window to end', async () => (await peek(store, check(short))).outcomes[0]!.remaining === 3)
    t.match(await peek(store, check(long)), { outcomes: [{ remaining: 3 }] })
  })

  t.test('sliding-counter: a sum without its counts is reset within a window, not in the past', async t => {
    const { store, key } = fresh()
    const five = check(rule('sliding-counter', 5))
    await take(store, five)
    await ask('EVAL', overwrite, 1, key('sliding-counter'), 13, '000000000001' + '00'.repeat(6))
    const { resetMs } = (await peek(store, five)).outcomes[0]!
    t.ok(resetMs >= 0 && resetMs <= 64_000, `${resetMs} ms`)
  })

  t.test('SCRIPT FLUSH amid a thousand takes fails none of them', async t => {
    const { store } = fresh()
    const open = rule('sliding-counter', 1_000_000)
    const half = admitted(store, 500, () => check(open))
    const flushed = ask('SCRIPT', 'FLUSH')
    const rest = admitted(store, 500, () => check(open))
    await flushed
    t.equal(await half + await rest + await admitted(store, 10, () => check(open)), 1_010)
    t.equal((await peek(store, check(open))).outcomes[0]!.remaining, 1_000_000 - 1_010)
  })

  t.test('a key of another type counts as nothing, and spoils none of the questions beside it', async t => {
    const { store, key } = fresh()
    await ask('LPUSH', key('gcra'), 'x')
    const both = await Promise.all([take(store, check(rule('gcra', 1))), take(store, check(rule('gcra', 1), 'another')), take(store, check(rule('gcra', 1)))])
    t.strictSame(both.map(({ allowed }) => allowed), [true, true, false])
    t.ok(Number(await ask('PTTL', key('gcra'))) > 0)
  })

  t.test('questions of one turn are answered in their order, each for itself', async t => {
    const { store } = fresh()
    const [one, many] = [rule('fixed-window', 3, { name: 'one' }), rule('sliding-log', 100, { name: 'many' })]
    const verdicts = await Promise.all(Array.from({ length: 100 }, (_, i) => i % 10 === 9 ? peek(store, check(one)) : take(store, check(many), check(one))))
    t.strictSame(verdicts.map(({ allowed }) => allowed).slice(0, 12), [true, true, true, false, false, false, false, false, false, false, false, false])
    t.equal(verdicts[9]!.outcomes[0]!.remaining, 0)
    t.equal((await peek(store, check(many))).outcomes[0]!.remaining, 97, 'a refused question charges nothing')
  })
}

// In the server: a client's text would hide a byte that is none.
const digest = "return redis.sha1hex(redis.call('DUMP', KEYS[1]))"
const overwrite = "return redis.call('SETRANGE', KEYS[1], ARGV[1], (string.gsub(ARGV[2], '..', function (hex) return string.char(tonumber(hex, 16)) end)))"

const keyOf = (keyspace: Keyspace, name: string, subject: string) => keyspace.define('limit:{<subject>}:<limit>').key(subject, name)
