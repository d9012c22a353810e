import type { Answers, UniqueCallers } from '../../src/dashboard/frame.ts'
import { element, say } from '../elements.ts'
import { clockTime, figure, milliseconds, unknown } from '../figures.ts'
import { fillRows } from './tables.ts'

const body = (id: string) => element<HTMLTableSectionElement>(id)

/** Shows what Redis and the database have said; what they have not said is unknown. */
export function showAnswers ({ activeSessions, uniqueByHour, uniqueByDay, topCallers, health }: Answers): void {
  say('figure-sessions', activeSessions === null ? unknown : figure(activeSessions))
  const today = uniqueByDay?.at(-1)
  say('figure-unique', today === undefined ? unknown : figure(today.value))
  say('figure-unique-interval', today === undefined ? 'not known now' : intervalOf(today))
  showUnique('rows-unique-hours', uniqueByHour, start => start.slice(11, 16))
  showUnique('rows-unique-days', uniqueByDay, start => start)
  fillRows(body('rows-callers'), (topCallers ?? []).map(({ who, calls }) => [who, figure(calls)]))
  say('none-callers', topCallers === null ? 'Not known now.' : topCallers.length === 0 ? 'Nobody has called /ping yet.' : '')
  say('redis-latency', milliseconds(health?.redisLatencyMs))
  say('redis-server', health?.redisServer ?? unknown)
  say('redis-since', health === null ? unknown : clockTime(Date.parse(health.redisSince)))
  say('health-status', health?.status ?? 'not known now')
  fillRows(body('rows-health'), (health?.parts ?? []).map(({ name, status }) => [name, status]))
}

function showUnique (id: string, series: readonly UniqueCallers[] | null, name: (start: string) => string): void {
  if (series === null) return fillRows(body(id), [[unknown, 'not known now', '']])
  const highest = Math.max(...series.map(({ high }) => high))
  fillRows(body(id), series.toReversed().map(unique => [name(unique.start), { text: figure(unique.value), value: unique.value, max: highest }, intervalOf(unique)]))
}

function intervalOf ({ low, high, exact }: UniqueCallers): string {
  return exact ? 'exact' : `${figure(low)} to ${figure(high)}, 95 % sure`
}
