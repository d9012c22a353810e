import t from 'tap'
import { durationMs } from '../src/duration.ts'

t.test('reads milliseconds and units', async t => {
  for (const [given, ms] of [[0, 0], [250, 250], [1.6, 2], ['250ms', 250], ['10s', 10_000], ['1.5s', 1_500], ['5m', 300_000], ['12h', 43_200_000], ['7d', 604_800_000], ['0s', 0]] as const) {
    t.equal(durationMs(given), ms, String(given))
  }
})

t.test('refuses everything else, with its name and value', async t => {
  for (const bad of [-1, Number.NaN, Infinity, 2 ** 60, '', '10', 's', '-5s', '5 s', '5S', '1e3s', '5w', ' 5s', '5s\n', '9999999999999999d', '99999999999999d', null, {}, [5]]) {
    t.throws(() => durationMs(bad as never, 'ttl'), { code: 'FST_RSP_DURATION_INVALID', message: /'ttl'/ }, String(bad))
  }
  t.throws(() => durationMs('5w' as never, 'ttl'), { message: /'5w'/ })
})
