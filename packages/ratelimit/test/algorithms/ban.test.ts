import { seeded, startRedis } from '@respite/testing'
import { Redis } from 'ioredis'
import t from 'tap'
import { advanceBan, type BanRule, noBan, strike } from '../../src/algorithms/ban.ts'
import { MemoryStore } from '../../src/stores/memory.ts'
import type { Verdict } from '../../src/stores/store.ts'
import { fakeClock } from '../clock.ts'
import { check, rule } from '../rules.ts'
import { type Operation, runScript } from './script-in-simulated-time.ts'

const each: BanRule = { after: 1, windowMs: 1_000, forMs: 1_000, factor: 2.5, maxMs: 20_000 }

t.test('each ban is longer by the factor, up to the longest; who has had none for as long as that begins anew', t => {
  const state = noBan(0)
  let nowMs = 0
  const ban = () => {
    advanceBan(state, each, nowMs)
    const ms = strike(state, each, nowMs)
    nowMs += ms
    return ms
  }
  t.same([ban(), ban(), ban(), ban(), ban(), ban()], [1_000, 2_500, 6_250, 15_625, 20_000, 20_000])
  nowMs += 19_999
  t.equal(ban(), 20_000)
  nowMs += 20_000
  t.equal(ban(), 1_000)
  t.end()
})

t.test('refusals count within their window alone', t => {
  const three = { ...each, after: 3 }
  const state = noBan(0)
  const struckAt = (nowMs: number) => {
    advanceBan(state, three, nowMs)
    return strike(state, three, nowMs)
  }
  t.same([0, 999, 1_000, 1_001, 1_002].map(struckAt), [0, 0, 0, 0, 1_000])
  t.end()
})

t.test('a clock that is set back makes nobody wait longer than the longest ban', t => {
  const state = { ...noBan(0), bans: 3, untilMs: 1e12 }
  advanceBan(state, each, 1_000)
  t.equal(state.untilMs, 21_000)
  t.end()
})

t.test('memory and the script ban alike, over random requests', async t => {
  const server = await startRedis()
  const redis = new Redis(server.port)
  t.teardown(async () => {
    redis.disconnect()
    await server.stop()
  })
  const { below } = seeded(t)
  let begun = 0
  for (let round = 0; round < 20; round++) {
    const clock = fakeClock(0)
    const store = new MemoryStore({ clock, maxKeys: 10_000 })
    const bans = Array.from({ length: 3 }, (): BanRule => {
      const forMs = 1_000 + below(3_000)
      return { after: 1 + below(4), windowMs: 100 + below(5_000), forMs, factor: 1 + below(40) / 10, maxMs: forMs + below(30_000) }
    })
    const limits = bans.map((ban, i) => ({ rule: rule((['fixed-window', 'gcra', 'sliding-log'] as const)[i]!, 1 + below(3), { windowMs: 50 + below(2_000), name: `l${i}` }), ban: i === 2 && below(2) === 0 ? undefined : ban }))
    const operations: Operation[] = []
    const expected: number[][] = []
    let nowMs = 1_000_000
    for (let i = 0; i < 400; i++) {
      nowMs += below(30) === 0 ? below(60_000) : below(300)
      clock.nowMs = nowMs
      const subject = `s${below(2)}`
      const checks = limits.filter(() => below(3) > 0).map(one => ({ ...check(one.rule, subject, 1 + below(2)), ban: one.ban, headroomTenths: below(3) === 0 ? below(11) : 0 }))
      if (checks.length === 0) continue
      const mode = below(6) === 0 ? 'peek' : 'take'
      operations.push({ mode, nowUs: nowMs * 1_000, checks })
      store[mode](checks, (_, verdict) => expected.push(bansOf(verdict!)))
    }
    const replies = await runScript(redis, operations, { prefix: `round-${round}`, forget: true })
    const answered = replies.map((reply, i) => {
      let at = 1
      return operations[i]!.checks.flatMap(({ ban }) => {
        const from = at + 3
        at = ban === undefined ? from : from + 3
        return reply.slice(from, at)
      })
    })
    t.same(answered, expected)
    begun += expected.flat().filter(n => n > 0).length
  }
  t.ok(begun > 0, 'somebody was banned')
})

const bansOf = ({ outcomes }: Verdict) => outcomes.flatMap(({ ban }) => ban === undefined ? [] : [ban.times, ban.waitMs, ban.begunMs])
