import t from 'tap'
import { ttlMs } from '../src/ttl.ts'

t.test('takes milliseconds and durations, also beyond what a timer of Node can hold', async t => {
  t.equal(ttlMs(1_500), 1_500)
  t.equal(ttlMs('5m'), 300_000)
  t.equal(ttlMs('30d'), 2_592_000_000)
})

t.test('refuses what is no time, and names it', async t => {
  for (const bad of [-1, Number.NaN, Infinity, '5 parsecs', '', null]) t.throws(() => ttlMs(bad as never), { code: 'FST_RSP_DURATION_INVALID', message: /'ttl'/ })
  for (const bad of [0, 0.2, '0s', '4000d']) t.throws(() => ttlMs(bad as never, 'swr'), { code: 'FST_RSP_CACHE_TTL_OUT_OF_BOUNDS', message: /'swr'/ })
})
