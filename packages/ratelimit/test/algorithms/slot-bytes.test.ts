import { seeded, startRedis } from '@respite/testing'
import { Redis } from 'ioredis'
import t, { type Test } from 'tap'
import type { Check } from '../../src/stores/store.ts'
import { check, rule } from '../rules.ts'
import { type Operation, runScript } from './script-in-simulated-time.ts'

const server = await startRedis()
const redis = new Redis(server.port)
t.teardown(async () => {
  redis.disconnect()
  await server.stop()
})

const [headerBytes, slotBytes] = [19, 16]
const [limit, windowMs] = [3, 10_000]
const slots = rule('concurrency', limit, { windowMs })
const startMs = Date.UTC(2026, 4, 10)
let last = 0
const slot = (): Check => ({ ...check(slots), slot: ++last })

/**
 * Three slots of three in use, whose bytes are damaged; the key has no expiry. In memory no bytes are read: there is no twin of this.
 * @returns how many of ten are admitted at once
 */
async function damaged (t: Test, what: string, damage: (bytes: Buffer) => Buffer): Promise<number> {
  const prefix = `b${++last}`
  const key = `${prefix}:concurrency:somebody`
  const run = (atMs: number, mode: Operation['mode'], ...checks: Check[]) =>
    runScript(redis, checks.map(one => ({ mode, nowUs: (startMs + atMs) * 1_000, checks: [one] })), { prefix, forget: false })
  const remaining = async (atMs: number) => (await run(atMs, 'peek', slot()))[0]![1]
  const held = [slot(), slot(), slot()]
  await run(0, 'take', ...held)
  await redis.set(key, damage((await redis.getBuffer(key))!))
  const answers = await run(1, 'take', ...Array.from({ length: 10 }, slot))
  for (const [, left, waitMs] of answers) if (!(left! >= 0 && left! <= limit && waitMs! <= 1_000)) t.fail(`${what}: ${left} left, ${waitMs} ms`)
  for (const atMs of [2, 5_000, 10_004, 15_000]) {
    await run(atMs, 'renew', ...held)
    t.equal(await remaining(atMs), 0, `${what}: who lives is counted with the next renewal`)
  }
  // A foreign slot is cut to an expiry when the first of the others ends.
  const healedMs = 2 * windowMs + 10
  await run(healedMs, 'refund', held[0]!)
  t.equal(await remaining(healedMs), 1, `${what}: after two expiries nothing is left of the damage`)
  t.equal(((await redis.strlen(key)) - headerBytes) % slotBytes, 0)
  return answers.filter(([, , waitMs]) => waitMs === 0).length
}

t.test('slots that were cut off anywhere admit nobody above the limit while their sums are there, and heal', async t => {
  for (let length = 0; length < headerBytes + limit * slotBytes; length++) {
    const admitted = await damaged(t, `of ${length} bytes`, bytes => bytes.subarray(0, length))
    if (length >= headerBytes) t.equal(admitted, 0, `of ${length} bytes`)
    else t.ok(admitted <= limit, `of ${length} bytes`)
  }
})

t.test('slots with bytes behind them that are no slot admit nobody above the limit, and heal', async t => {
  for (let length = 1; length <= 2 * slotBytes; length++) {
    for (const byte of [0, 255]) t.equal(await damaged(t, `${length} of ${byte} behind`, bytes => Buffer.concat([bytes, Buffer.alloc(length, byte)])), 0)
  }
})

t.test('sums that are wrong refuse nobody for longer than an expiry, and admit nobody whom the slots leave no room', async t => {
  const [none, all] = ['000000000000', 'ffffffffffff']
  const at = (ms: number) => (startMs + ms).toString(16).padStart(12, '0')
  for (const sums of [
    [none, none, none], [all, all, all], [all, all, none], [none, at(5_000), at(9_000)], [all, at(9_000), at(9_000)], [all, at(9_000), at(5_000)], [all, at(20_000), at(9_000)]
  ]) {
    t.equal(await damaged(t, sums.join(' '), bytes => Buffer.concat([bytes.subarray(0, 1), Buffer.from(sums.join(''), 'hex'), bytes.subarray(headerBytes)])), 0, sums.join(' '))
  }
})

t.test('slots of which any bytes are others admit no more than the limit, and heal', async t => {
  const { below, bytes: random } = seeded(t)
  for (let i = 0; i < 150; i++) {
    const other = random(1 + below(24))
    const admitted = await damaged(t, other.toString('hex'), bytes => {
      other.copy(bytes, 1 + below(bytes.length - 1))
      return below(2) === 0 ? bytes : Buffer.concat([bytes, random(below(20))])
    })
    t.ok(admitted <= limit, other.toString('hex'))
  }
})
