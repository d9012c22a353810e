import { type Seeded, seeded, startRedis } from '@respite/testing'
import { Redis } from 'ioredis'
import { readFileSync } from 'node:fs'
import t from 'tap'
import { type Beyond, hit, type Hits, look, noHits } from '../../src/compat/hits.ts'

const server = await startRedis()
const redis = new Redis(server.port)
t.teardown(async () => {
  redis.disconnect()
  await server.stop()
})

const source = readFileSync(new URL('../../lua/hits.lua', import.meta.url), 'utf8')

interface Operation { what: 'hit' | 'look', nowMs: number, windowMs: number, max: number, beyond: Beyond, key: string }

// The script as it is, many times in one call, with expiries by a clock that the test sets. Keys are real.
const wrapper = `
local real = redis
local nowMs = 0
local ends = KEYS[1]
local redis = {}
function redis.call (command, key, ...)
  local args = {...}
  local left = tonumber(real.call('HGET', ends, key) or nowMs) - nowMs
  if left <= 0 then
    real.call('DEL', key)
  end
  if command == 'PTTL' then
    return left > 0 and left or -2
  elseif command == 'SET' then
    real.call('HSET', ends, key, string.format('%.17g', nowMs + args[3]))
    return real.call('SET', key, args[1])
  elseif command == 'DEL' then
    real.call('HDEL', ends, key)
  end
  return real.call(command, key, ...)
end
local function hits (KEYS, ARGV)
${source}
end
local answers = {}
for i, operation in ipairs(cjson.decode(ARGV[1])) do
  nowMs = operation.nowMs
  local answer = hits({operation.key}, {operation.what, operation.windowMs, operation.max, operation.beyond})
  answers[i] = {string.format('%.0f', answer[1]), string.format('%.0f', answer[2])}
end
return cjson.encode(answers)`

function operationsOf (chance: Seeded, count: number): Operation[] {
  const rules = Array.from({ length: 6 }, (_, i) => ({
    windowMs: [0, 1, 250, 1_000, 60_000, 86_400_000][i]!, max: chance.below(5), beyond: (['keep', 'renew', 'double'] as const)[chance.below(3)]!
  }))
  let nowMs = Date.UTC(2026, 4, 10)
  return Array.from({ length: count }, (): Operation => {
    nowMs += chance.below(4) === 0 ? chance.below(2 ** chance.below(24)) : chance.below(200)
    // One key under several rules: functions may change what holds for it.
    return { what: chance.below(5) === 0 ? 'look' : 'hit', nowMs, key: `k${chance.below(4)}`, ...rules[chance.below(rules.length)]! }
  })
}

function byTwin (operations: readonly Operation[]): number[][] {
  const states = new Map<string, Hits>()
  return operations.map(({ what, nowMs, key, ...rule }) => {
    const state = states.get(key) ?? noHits()
    states.set(key, state)
    const leftMs = what === 'hit' ? hit(state, rule, nowMs) : look(state, nowMs)
    return [what === 'look' && leftMs === 0 ? 0 : state.count, leftMs]
  })
}

t.test('the script and its twin answer random hits alike', async t => {
  const chance = seeded(t)
  for (let batch = 0; batch < 40; batch++) {
    const operations = operationsOf(chance, 500)
    await redis.flushdb()
    const answers = JSON.parse(await redis.eval(wrapper, 1, 'ends', JSON.stringify(operations)) as string) as string[][]
    const found = answers.map(numbers => numbers.map(Number))
    const expected = byTwin(operations)
    const at = expected.findIndex((numbers, i) => numbers.join() !== found[i]!.join())
    if (at !== -1) return t.same(found[at], expected[at], `operation ${at} of batch ${batch}: ${JSON.stringify(operations[at])}`)
  }
  t.pass()
})

t.test('a counter without an end, or of foreign bytes, counts as none, and has an end afterwards', async t => {
  for (const value of ['7', 'foreign', '']) {
    await redis.set('k', value)
    t.same(await redis.eval(source, 1, 'k', 'look', 60_000, 1, 'keep'), [0, 0])
    t.same(await redis.eval(source, 1, 'k', 'hit', 60_000, 1, 'keep'), [1, 60_000])
    t.ok(await redis.pttl('k') > 0)
  }
  await redis.set('k', 'foreign', 'PX', 60_000)
  t.same(await redis.eval(source, 1, 'k', 'hit', 60_000, 1, 'keep'), [1, 60_000])
})

t.test('a clock that is set back makes no window longer', async t => {
  const state = noHits()
  const rule = { windowMs: 1_000, max: 1, beyond: 'keep' } as const
  hit(state, rule, 3_600_000)
  t.equal(hit(state, rule, 500), 1_000)
  t.equal(look(state, 1_400), 100)
  t.equal(look(state, 1_500), 0)
})
