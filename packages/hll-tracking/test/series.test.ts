import t from 'tap'
import { sizeMs } from '../src/buckets.ts'
import { seriesBuckets, type SeriesOptions } from '../src/series.ts'
import { MemoryStore } from '../src/stores/memory.ts'
import { assemble, fakeClock, start, storeParts } from './assemble.ts'

function fresh (zones: string[] = ['UTC']) {
  const clock = fakeClock()
  const parts = storeParts(clock, undefined, zones)
  const assembled = assemble(new MemoryStore(parts), parts)
  const observeAt = (events: readonly (readonly [at: string | number, who: string])[]) => {
    for (const [at, who] of events) {
      clock.nowMs = new Date(at).getTime()
      assembled.tracking.observe('ping', who)
    }
  }
  return { clock, calendar: parts.calendar, observeAt, ...assembled }
}

t.test('a series has each minute, hour or day of its window once', async t => {
  const { calendar } = fresh()
  const starts = (options: SeriesOptions) => seriesBuckets(options, start, calendar).map(place => place.start)
  t.same(starts({ by: 'minute', since: '2m' }), ['2026-05-10T12:32:00.000Z', '2026-05-10T12:33:00.000Z', '2026-05-10T12:34:00.000Z'])
  t.same(starts({ by: 'hour', since: '1h' }), ['2026-05-10T11:00:00.000Z', '2026-05-10T12:00:00.000Z'])
  t.same(starts({ by: 'day', since: '2d' }), ['2026-05-08', '2026-05-09', '2026-05-10'])
  t.same(starts({ by: 'day', since: new Date('2026-05-01'), until: new Date('2026-05-03') }), ['2026-05-01', '2026-05-02'])
  t.equal(starts({ by: 'minute' }).length, 121)
  t.equal(starts({ by: 'hour' }).length, 73)
  t.equal(starts({ by: 'day' }).length, 401)
})

t.test('C6: days are those of the calendar, in a zone with daylight saving and in +05:45', async t => {
  const { clock, tracking, calendar, observeAt } = fresh(['UTC', 'Europe/Paris', 'Asia/Kathmandu'])
  // In Paris 2026-03-29 has 23 hours: it begins at 23:00 UTC and ends at 22:00 UTC. In Kathmandu days begin at 18:15 UTC.
  const events: [string, string][] = [
    ['2026-03-28T22:59:59.999Z', 'saturday'], ['2026-03-28T23:00:00Z', 'sunday'], ['2026-03-29T21:59:59.999Z', 'late sunday'], ['2026-03-29T22:00:00Z', 'monday'],
    ['2026-03-30T18:14:59.999Z', 'before'], ['2026-03-30T18:15:00Z', 'after']
  ]
  for (const event of events) {
    observeAt([event])
    await tracking.flush()
  }
  clock.nowMs = Date.parse('2026-03-31T12:00:00Z')
  const series = async (tz: string) => (await tracking.unique('ping').series({ by: 'day', tz, since: '3d' })).map(({ start, value }) => [start, value])
  t.same(await series('Europe/Paris'), [['2026-03-28', 1], ['2026-03-29', 2], ['2026-03-30', 3], ['2026-03-31', 0]])
  t.same(await series('Asia/Kathmandu'), [['2026-03-28', 0], ['2026-03-29', 2], ['2026-03-30', 3], ['2026-03-31', 1]])
  t.same(await series('UTC'), [['2026-03-28', 2], ['2026-03-29', 2], ['2026-03-30', 2], ['2026-03-31', 0]])
  const year = seriesBuckets({ by: 'day', tz: 'Europe/Paris', since: '365d' }, clock.nowMs, calendar).map(place => Date.parse(place.start))
  t.equal(year.length, 366)
  t.ok(year.every((day, i) => i === 0 || day - year[i - 1]! === sizeMs.day), 'no day is missing or twice')
})

t.test('C6: a day of 25 hours is one day, and its second two o\'clock belongs to it', async t => {
  const { clock, tracking, observeAt } = fresh(['Europe/Paris'])
  // In Paris 2026-10-25 begins at 22:00 UTC and ends at 23:00 UTC of the next day.
  const events: [string, string][] = [
    ['2026-10-24T21:59:59.999Z', 'saturday'], ['2026-10-24T22:00:00Z', 'first'], ['2026-10-25T00:30:00Z', 'two'], ['2026-10-25T01:30:00Z', 'two again'],
    ['2026-10-25T22:59:59.999Z', 'last'], ['2026-10-25T23:00:00Z', 'monday']
  ]
  for (const event of events) {
    observeAt([event])
    await tracking.flush()
  }
  clock.nowMs = Date.parse('2026-10-26T12:00:00Z')
  const series = await tracking.unique('ping').series({ by: 'day', tz: 'Europe/Paris', since: '2d' })
  t.same(series.map(({ start, value }) => [start, value]), [['2026-10-24', 1], ['2026-10-25', 4], ['2026-10-26', 1]])
})

t.test('C6: an event at the edge of a day, an hour and a minute of +05:45 is in one of each', async t => {
  const { clock, tracking, observeAt } = fresh(['Asia/Kathmandu'])
  const edge = Date.parse('2026-05-10T18:15:00Z')
  observeAt([[edge - 1, 'before'], [edge, 'after']])
  clock.nowMs = edge + 60_000
  const values = async (options: SeriesOptions) => (await tracking.unique('ping').series(options)).map(({ start, value }) => [start, value])
  t.same(await values({ by: 'day', tz: 'Asia/Kathmandu', since: '1h' }), [['2026-05-10', 1], ['2026-05-11', 1]])
  t.same(await values({ by: 'minute', since: '2m' }), [['2026-05-10T18:14:00.000Z', 1], ['2026-05-10T18:15:00.000Z', 1], ['2026-05-10T18:16:00.000Z', 0]])
  t.same(await values({ by: 'hour', since: '1h' }), [['2026-05-10T17:00:00.000Z', 0], ['2026-05-10T18:00:00.000Z', 2]])
})

t.test('a clock that goes back counts each event in the time it had then, once', async t => {
  const { clock, tracking, seen, observeAt } = fresh()
  observeAt([0, 2, 0, 1].map(agoMinutes => [start - agoMinutes * sizeMs.minute, 'alice']))
  clock.nowMs = start
  const minutes = await tracking.unique('ping').series({ by: 'minute', since: '3m' })
  t.same(minutes.map(({ value }) => value), [0, 1, 1, 1])
  t.equal(await tracking.calls('ping', { since: '3m' }), 4)
  t.equal(seen.drops.size, 0)
})

t.test('refuses zones that are not counted, and windows of which too little is kept', async t => {
  const { tracking } = fresh(['UTC', 'Europe/Paris'])
  const refused = (options: SeriesOptions, code: string, message: RegExp) => t.rejects(tracking.unique('ping').series(options), { code, message })
  await refused({ by: 'day', tz: 'Asia/Tokyo' }, 'FST_RSP_TRACKING_ZONE', /no days of zone 'Asia\/Tokyo'.*option 'zones', UTC, Europe\/Paris/)
  await refused({ by: 'hour', tz: 'Europe/Paris' }, 'FST_RSP_TRACKING_ZONE', /no hours of zone 'Europe\/Paris'/)
  await refused({ by: 'minute', since: '3h' }, 'FST_RSP_TRACKING_WINDOW', /begins before what is kept; kept are minutes for 2 hours/)
  await refused({ by: 'week' as 'day' }, 'FST_RSP_TRACKING_BY_INVALID', /got 'week'/)
})
