import { seeded } from '@respite/testing'
import { createRequire } from 'node:module'
import t from 'tap'
import { parseTime, timeText } from '../../src/compat/time-text.ts'

// As @fastify/rate-limit reads and writes times; it is not a dependency of ours.
const require = createRequire(createRequire(import.meta.url).resolve('@fastify/rate-limit'))
const { parse, format } = require('@lukeed/ms') as { parse: (text: string) => number | undefined, format: (ms: number, long: true) => string }

const units = ['', 'ms', 'msec', 'msecs', 'millisecond', 'milliseconds', 's', 'sec', 'secs', 'second', 'seconds', 'm', 'min', 'mins', 'minute', 'minutes', 'h', 'hr', 'hrs', 'hour', 'hours', 'd', 'day', 'days', 'w', 'wk', 'wks', 'week', 'weeks', 'y', 'yr', 'yrs', 'year', 'years']

t.test('reads times as @fastify/rate-limit does, and keeps whole ms', async t => {
  for (const amount of ['1', '90', '1.5', '.25', '007', '0.1']) {
    for (const unit of units) {
      for (const text of [amount + unit, `${amount} ${unit}`, `${amount}   ${unit.toUpperCase()}`]) {
        const ms = Math.trunc(parse(text)!)
        t.equal(parseTime(text), ms > 0 ? ms : undefined, text)
      }
    }
  }
})

t.test('reads nothing into what names no time', async t => {
  for (const text of ['', ' ', '0', '0s', '-1s', 'minute', '1 fortnight', '1 minute 3', '1,5 s', '1e3', 'Infinity', '9007199254740992', '300000 years', '1 minutess']) t.equal(parseTime(text), undefined, text)
})

t.test('writes times as @fastify/rate-limit does', async t => {
  const chance = seeded(t)
  const edges = [0, 1, 59, 60, 61, 89, 90, 3_599, 3_600, 5_400, 86_399, 86_400, 129_600, 31_557_599, 31_557_600, 9_007_199_254_740].map(seconds => seconds * 1_000)
  const random = Array.from({ length: 2_000 }, () => chance.below(2 ** (1 + chance.below(40))) * 1_000)
  for (const ms of [...edges, ...random]) t.equal(timeText(ms), format(ms, true), String(ms))
})
