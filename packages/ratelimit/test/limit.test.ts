import t from 'tap'
import { type Limit, type LimitOptions, resolveLimit } from '../src/limit.ts'
import { Limits } from '../src/limits.ts'

const resolve = (options: Partial<LimitOptions>): Limit => resolveLimit({ name: 'api', ...options }, 'local')
const perMinute = (options: Partial<LimitOptions> = {}): Limit => resolve({ limit: 10, per: '1m', ...options })

t.test('a limit with a window is complete: by address, one unit a request, a log, as the plugin while the store is away', async t => {
  const limit = perMinute()
  t.same(limit, {
    rule: { name: 'api', algorithm: 'sliding-log', limit: 10, windowMs: 60_000, capacity: 10 },
    by: 'ip',
    key: undefined,
    cost: 1,
    shadow: false,
    onStoreError: 'local'
  })
  t.equal(resolveLimit({ name: 'api', limit: 1, per: 1 }, 'closed').onStoreError, 'closed')
  t.equal(resolveLimit({ name: 'api', limit: 1, per: 1, onStoreError: 'open' }, 'closed').onStoreError, 'open')
  t.ok(Object.isFrozen(limit) && Object.isFrozen(limit.rule), 'and stays as it is')
})

t.test('the algorithm follows from the limit: a log up to 1024, counters above, gcra where a burst is given', async t => {
  t.equal(perMinute({ limit: 1_024 }).rule.algorithm, 'sliding-log')
  t.equal(perMinute({ limit: 1_025 }).rule.algorithm, 'sliding-counter')
  t.match(perMinute({ limit: 10, burst: 3 }).rule, { algorithm: 'gcra', limit: 10, capacity: 3 })
  t.match(perMinute({ limit: 10, burst: 30 }).rule, { algorithm: 'gcra', limit: 10, capacity: 30 })
  t.match(perMinute({ algorithm: 'gcra' }).rule, { algorithm: 'gcra', capacity: 10 }, 'a burst of the limit by default')
  t.equal(perMinute({ algorithm: 'fixed-window' }).rule.algorithm, 'fixed-window')
  t.match(perMinute({ algorithm: 'sliding-log', limit: 10_000 }).rule, { algorithm: 'sliding-log', capacity: 10_000 })
})

t.test('a concurrency limit counts slots, which expire after half a minute by default', async t => {
  t.same(resolve({ algorithm: 'concurrency', limit: 5 }).rule, { name: 'api', algorithm: 'concurrency', limit: 5, windowMs: 30_000, capacity: 5 })
  t.match(resolve({ algorithm: 'concurrency', limit: 0, slotExpiryMs: '2m' }).rule, { limit: 0, windowMs: 120_000, capacity: 0 })
})

t.test('a rate stands for a limit and its window', async t => {
  for (const [rate, limit, windowMs] of [
    ['1000/h', 1_000, 3_600_000], ['10/5s', 10, 5_000], ['1/250ms', 1, 250], ['3/30d', 3, 30 * 86_400_000], ['60/m', 60, 60_000], ['0/s', 0, 1_000],
    ['1000000000/366d', 1_000_000_000, 366 * 86_400_000]
  ] as const) t.match(resolve({ rate }).rule, { limit, windowMs }, rate)
})

t.test('whom it counts is the address, the user or what a function says', async t => {
  const key = () => 'x'
  t.match(perMinute({ by: 'user' }), { by: 'user', key: undefined })
  t.match(perMinute({ key }), { by: 'key', key })
})

t.test('a limit of 0 is a limit, but not for gcra', async t => {
  for (const algorithm of ['fixed-window', 'sliding-log', 'sliding-counter'] as const) t.match(perMinute({ limit: 0, algorithm }).rule, { limit: 0, capacity: 0 })
  t.throws(() => perMinute({ limit: 0, algorithm: 'gcra' }), {
    code: 'FST_RSP_RATELIMIT_LIMIT_INVALID', message: "limit 'api': gcra needs a limit of 1 or more; a fixed-window of 0 refuses all"
  })
})

t.test('a lease lasts two seconds by default, and is not strict', async t => {
  t.equal(perMinute().lease, undefined)
  t.same(perMinute({ algorithm: 'fixed-window', lease: true }).lease, { lifetimeMs: 2_000, strict: false })
  t.same(perMinute({ algorithm: 'fixed-window', lease: {} }).lease, { lifetimeMs: 2_000, strict: false })
  t.same(perMinute({ limit: 600, algorithm: 'gcra', lease: { lifetimeMs: '5s', strict: true } }).lease, { lifetimeMs: 5_000, strict: true })
  for (const [lease, message] of [
    [{ lifetimeMs: 50 }, "ratelimit: option 'lease.lifetimeMs' must be milliseconds or a duration such as '90s', at least 100 ms, at most 60000 ms, got 50"],
    [{ strict: 'yes' }, "ratelimit: option 'lease.strict' must be boolean, got 'yes'"],
    [{ ttl: 1 }, "ratelimit: option 'lease.ttl' is unknown, got 1"],
    [false, "ratelimit: option 'lease' must be object or true, got false"]
  ] as const) t.throws(() => perMinute({ algorithm: 'gcra', lease: lease as never }), { message })
})

const contradictions: readonly [Partial<LimitOptions>, string][] = [
  [{}, "limit 'api': needs 'limit' and 'per', or 'rate'"],
  [{ limit: 10 }, "limit 'api': needs 'limit' and 'per', or 'rate'"],
  [{ per: '1m' }, "limit 'api': needs 'limit' and 'per', or 'rate'"],
  [{ algorithm: 'concurrency' }, "limit 'api': concurrency needs 'limit'"],
  [{ algorithm: 'concurrency', limit: 5, per: '1m' }, "limit 'api': concurrency counts what is in flight, it has no 'per' and no 'rate'"],
  [{ algorithm: 'concurrency', rate: '5/s' }, "limit 'api': concurrency counts what is in flight, it has no 'per' and no 'rate'"],
  [{ algorithm: 'concurrency', limit: 5, burst: 3 }, "limit 'api': 'burst' belongs to gcra, not to concurrency"],
  [{ algorithm: 'concurrency', limit: 1_001 }, "limit 'api': concurrency remembers each slot: at most 1000, got 1001"],
  [{ limit: 5, per: '1m', slotExpiryMs: 1_000 }, "limit 'api': 'slotExpiryMs' belongs to concurrency"],
  [{ rate: '10/s', limit: 10 }, "limit 'api': has 'rate' beside 'limit' or 'per'"],
  [{ rate: '10/s', per: '1m' }, "limit 'api': has 'rate' beside 'limit' or 'per'"],
  [{ rate: '10/0s' }, "limit 'api': 'rate' must be at most 1000000000 in 1 ms to 366 days, got '10/0s'"],
  [{ rate: '10/367d' }, "limit 'api': 'rate' must be at most 1000000000 in 1 ms to 366 days, got '10/367d'"],
  [{ rate: '1000000001/s' }, "limit 'api': 'rate' must be at most 1000000000 in 1 ms to 366 days, got '1000000001/s'"],
  [{ limit: 1, per: '1m', by: 'user', key: () => 'x' }, "limit 'api': has both 'by' and 'key'"],
  [{ limit: 10_001, per: '1m', algorithm: 'sliding-log' }, "limit 'api': sliding-log remembers each admission: at most 10000, got 10001; sliding-counter has no such bound"],
  [{ limit: 200_000, per: '1s', burst: 5 }, "limit 'api': gcra reckons in whole microseconds: at most one unit in 10 µs, got 200000 in 1 s; sliding-counter has no such bound"],
  [{ limit: 1, per: '1m', algorithm: 'sliding-log', burst: 2 }, "limit 'api': 'burst' belongs to gcra, not to sliding-log"],
  [{ limit: 1, per: '1m', algorithm: 'fixed-window', burst: 2 }, "limit 'api': 'burst' belongs to gcra, not to fixed-window"],
  [{ limit: 1, per: '1m', algorithm: 'sliding-counter', burst: 1 }, "limit 'api': 'burst' belongs to gcra, not to sliding-counter"],
  [{ limit: 1, per: '1m', lease: true }, "limit 'api': 'lease' belongs to fixed-window and gcra, got algorithm 'sliding-log'"],
  [{ limit: 1, algorithm: 'concurrency', lease: {} }, "limit 'api': 'lease' belongs to fixed-window and gcra, got algorithm 'concurrency'"],
  [{ limit: 9, per: '1m', algorithm: 'fixed-window', lease: { strict: true } }, "limit 'api': 'lease.strict' belongs to gcra, got true with fixed-window, which never admits more by leases"],
  [{ limit: 60, per: '1m', burst: 2, lease: { strict: true } },
    "limit 'api': 'lease.strict' needs a burst that takes longer to come back than 'lease.lifetimeMs' and one unit, got 2 s and a burst of 2"],
  [{ limit: 9, per: '1m', algorithm: 'gcra', lease: true, limitFor: () => 1 }, "limit 'api': 'lease' answers without a question, which 'limitFor' needs"],
  [{ limit: 9, per: '1m', algorithm: 'gcra', lease: true, ban: { after: 1, for: '1m' } }, "limit 'api': 'lease' answers without a question, which 'ban' needs"],
  [{ limit: 1, per: '366d', burst: 2 }, "limit 'api': a burst of 2 takes more than 366 days to come back"]
]

for (const [options, message] of contradictions) {
  t.test(`refused: ${message}, of ${Object.keys(options).join(' and ') || 'a name alone'}`, async t => {
    t.throws(() => resolve(options), { code: 'FST_RSP_RATELIMIT_LIMIT_INVALID', message, statusCode: 500 })
  })
}

t.test('each option has its type and bounds, and a refusal names the option and the value', async t => {
  for (const [options, option, value] of [
    [{ limit: -1 }, 'limit', '-1'], [{ limit: 1.5 }, 'limit', '1.5'], [{ limit: 1_000_000_001 }, 'limit', '1000000001'], [{ limit: '10' }, 'limit', "'10'"],
    [{ per: 0 }, 'per', '0'], [{ per: '367d' }, 'per', '367d'], [{ per: 'soon' }, 'per', 'soon'], [{ burst: 0 }, 'burst', '0'], [{ cost: 0 }, 'cost', '0'],
    [{ algorithm: 'guess' }, 'algorithm', 'guess'], [{ by: 'name' }, 'by', 'name'], [{ key: 'ip' }, 'key', 'ip'], [{ onStoreError: 'panic' }, 'onStoreError', 'panic'],
    [{ rate: '10 per second' }, 'rate', '10 per second'], [{ rate: '-1/s' }, 'rate', '-1/s'], [{ name: '' }, 'name', "''"], [{ name: 'x'.repeat(129) }, 'name', 'xxx']
  ] as const) {
    try {
      perMinute(options as unknown as Partial<LimitOptions>)
      t.fail(`${option} ${value} is taken`)
    } catch (error) {
      t.match((error as Error).message, new RegExp(option), (error as Error).message)
      t.ok((error as Error).message.includes(value), (error as Error).message)
    }
  }
  t.throws(() => perMinute({ max: 10 } as never), /max/, 'what is no option is refused')
  t.throws(() => resolveLimit({ limit: 10, per: '1m' } as never, 'local'), /name/)
})

t.test('two limits of one name are one count, if they are the same', async t => {
  const limits = new Limits()
  const first = limits.add(perMinute())
  const again = limits.add(perMinute({ per: 60_000, cost: 3 }))
  t.equal(again.cost, 3, 'of what a request costs they may differ')
  t.equal(limits.find('api'), first)
  t.equal(limits.find('other'), undefined)
  limits.add(resolve({ name: 'other', rate: '1/s' }))
  t.same(limits.all().map(({ rule }) => rule.name), ['api', 'other'])
})

t.test('two limits of one name that differ are refused, and both are described', async t => {
  const limits = new Limits()
  limits.add(perMinute())
  const differing: readonly [Partial<LimitOptions>, string][] = [
    [{ limit: 11 }, '11 per 1 min (sliding-log, by ip)'], [{ per: '90s' }, '10 per 90 s (sliding-log, by ip)'],
    [{ algorithm: 'fixed-window' }, '10 per 1 min (fixed-window, by ip)'], [{ by: 'user' }, '10 per 1 min (sliding-log, by user)'],
    [{ key: () => 'x' }, '10 per 1 min (sliding-log, by key)'], [{ burst: 3 }, '10 per 1 min (gcra, burst 3, by ip)']
  ]
  for (const [options, described] of differing) {
    t.throws(() => limits.add(perMinute(options)), {
      code: 'FST_RSP_RATELIMIT_NAME_TAKEN',
      message: `limit 'api' is 10 per 1 min (sliding-log, by ip), and cannot also be ${described}: give one of them another name`
    })
  }
  limits.add(perMinute({ name: 'bursting', burst: 3 }))
  t.throws(() => limits.add(perMinute({ name: 'bursting', burst: 4 })), /burst 3.*burst 4/)
})
