import type { Totals } from '../../src/dashboard/frame.ts'
import { element, make, say } from '../elements.ts'
import { bytes, figure, span, timeWithin } from '../figures.ts'
import { wordsOf } from './redis-words.ts'
import { fillRows } from './tables.ts'

const body = (id: string) => element<HTMLTableSectionElement>(id)

/** Shows what the server has counted, and how Redis is. */
export function showTotals (totals: Totals): void {
  for (const name of ['hitsL1', 'hitsL2', 'misses', 'fills', 'invalidations', 'evictions', 'entries'] as const) say(`total-${name}`, figure(totals[name]))
  say('total-bytes', bytes(totals.bytes))
  say('figure-p99', timeWithin(totals.readP99))
  showTtl(totals)
  fillRows(body('rows-decisions'), totals.decisions.map(({ route, limit, allowed, refused, other }) => [route, limit, figure(allowed), figure(refused), figure(other)]))
  fillRows(body('rows-limited'), totals.limited.map(({ limit, who, refused }) => [who, limit, figure(refused)]))
  fillRows(body('rows-session-events'), Object.entries(totals.sessionEvents).map(([event, count]) => [event, figure(count)]))
  for (const id of ['decisions', 'limited']) element(`none-${id}`).hidden = totals[id as 'decisions' | 'limited'].length > 0
  showRedis(totals)
}

function showTtl ({ ttl }: Totals): void {
  const most = Math.max(...ttl.map(({ entries }) => entries))
  fillRows(body('rows-ttl'), ttl.map(({ upToSeconds, entries }) => [
    upToSeconds === null ? 'longer' : `up to ${span(upToSeconds)}`, { text: figure(entries), value: entries, max: most }
  ]))
}

function showRedis ({ redis }: Totals): void {
  const { sign, word, mood, breaker, meanwhile } = wordsOf(redis)
  say('figure-redis-sign', sign)
  say('figure-redis', word)
  element('redis-figure').dataset.mood = mood
  say('redis-breaker', breaker)
  const list = element('redis-meanwhile')
  const said = meanwhile.join('\n')
  if (list.dataset.said === said) return
  list.dataset.said = said
  list.replaceChildren(...meanwhile.map(sentence => make('li', sentence)))
}
