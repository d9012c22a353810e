import { seeded } from '@respite/testing'
import t from 'tap'
import { sizeMs } from '../src/buckets.ts'
import { resolveWindow, type WindowOptions } from '../src/window.ts'
import { keep, start as now } from './assemble.ts'

const names = (options: WindowOptions, nowMs = now) => resolveWindow(options, nowMs, keep).buckets.map(({ name }) => name)

t.test('a window is the union of the fewest buckets', async t => {
  t.same(names({ since: '90s' }), ['202605101233', '202605101234'])
  t.same(names({ since: '1h' }), [...Array.from({ length: 26 }, (_, i) => `2026051011${34 + i}`), '2026051012'])
  t.same(names({ since: '3h' }), ['2026051009', '2026051010', '2026051011', '2026051012'], 'minutes that old are gone')
  t.same(names({ since: '1d' }), [...Array.from({ length: 12 }, (_, i) => `20260509${12 + i}`), '20260510'])
  t.same(names({ since: '7d' }), ['20260503', '20260504', '20260505', '20260506', '20260507', '20260508', '20260509', '20260510'])
  t.equal(names({}).length, 401, 'by default all that is kept')
  t.equal(names({ since: '400d' }).length, 401)
})

t.test('the window that is answered is the one asked for, widened to buckets that are kept', async t => {
  const { from, to } = resolveWindow({ since: '7d' }, now, keep)
  t.equal(from.toISOString(), '2026-05-03T00:00:00.000Z')
  t.equal(to.getTime(), now)
  const past = resolveWindow({ since: new Date('2026-05-10T11:00:30Z'), until: new Date('2026-05-10T11:20:10Z') }, now, keep)
  t.equal(past.from.toISOString(), '2026-05-10T11:00:00.000Z')
  t.equal(past.to.toISOString(), '2026-05-10T11:21:00.000Z')
  const old = resolveWindow({ since: new Date('2026-04-01T07:00:00Z'), until: new Date('2026-04-02T08:00:00Z') }, now, keep)
  t.same([old.from.toISOString(), old.to.toISOString()], ['2026-04-01T00:00:00.000Z', '2026-04-03T00:00:00.000Z'])
})

t.test('every window covers what was asked, without a hole, an overlap or a bucket that is gone', async t => {
  const random = seeded(t)
  for (let round = 0; round < 3_000; round++) {
    const nowMs = now + random.below(400 * sizeMs.day)
    const age = Math.floor(Math.exp(random.word() / 2 ** 32 * Math.log(keep.day)))
    const since = new Date(nowMs - age)
    const until = random.below(2) === 0 ? undefined : new Date(nowMs - random.below(age))
    const { from, to, buckets } = resolveWindow({ since, until }, nowMs, keep)
    const holes = buckets.some((bucket, i) => i > 0 && bucket.startMs !== buckets[i - 1]!.endMs)
    const gone = buckets.some(bucket => bucket.endMs + bucket.keepMs <= nowMs)
    const covers = buckets[0]!.startMs === from.getTime() && from <= since && to >= (until ?? since) && buckets.at(-1)!.endMs >= to.getTime()
    if (holes || gone || !covers) t.fail(`now ${nowMs} since ${since.getTime()} until ${until?.getTime()}`)
  }
})

t.test('refuses windows that cannot be answered, and says what is kept', async t => {
  const refused = (options: WindowOptions, message: RegExp) => t.throws(() => resolveWindow(options, now, keep), { code: 'FST_RSP_TRACKING_WINDOW', message })
  refused({ since: '401d' }, /since '401d' begins before what is kept; kept are minutes for 2 hours, hours for 3 days, days for 400 days/)
  refused({ since: new Date(now + 1) }, /lies in the future/)
  refused({ since: '1h', until: new Date(now + sizeMs.hour) }, /lies in the future/)
  refused({ since: '1h', until: new Date(now - 2 * sizeMs.hour) }, /ends before it starts/)
  refused({ since: 0 }, /ends before it starts/)
  refused({ since: new Date(Number.NaN) }, /has an edge that is no valid date/)
  t.throws(() => resolveWindow({ since: '-1d' as '1d' }, now, keep), { code: 'FST_RSP_DURATION_INVALID' })
})
