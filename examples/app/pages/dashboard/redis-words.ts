import type { RedisState } from '../../src/dashboard/frame.ts'
import { figure } from '../figures.ts'

/** A state of Redis for people: a sign, the word for the figure, and whether it is good. */
export interface RedisWords {
  sign: string
  word: string
  mood: 'good' | 'warn' | 'bad'
  /** What the breaker does. */
  breaker: string
  /** What the app does for as long as it lasts. */
  meanwhile: readonly string[]
}

const breakers: Record<RedisState['breaker'], string> = {
  closed: 'Closed: commands go to Redis.',
  'half-open': 'Half-open: one probe is under way. If Redis answers it, commands go there again.',
  open: 'Open: nothing is sent but a probe now and then, so nobody waits for Redis.'
}

const unconnected = 'Closed: it holds nothing back, but there is no connection.'

/** What is said of a state. */
export function wordsOf ({ state, reason, breaker, localCopies, queuedInvalidations }: RedisState): RedisWords {
  if (state === 'embedded') {
    return { sign: '◆', word: 'in memory', mood: 'good', breaker: 'None: there is no Redis, by choice.', meanwhile: ['What Redis would hold is kept in the memory of this process.', 'Sessions are kept in the database, and outlive a restart.'] }
  }
  const words = { breaker: state === 'down' && breaker === 'closed' ? unconnected : breakers[breaker], meanwhile: meanwhile(localCopies, queuedInvalidations) }
  if (state === 'up' && breaker === 'closed') return { sign: '✔', word: 'up', mood: 'good', ...words, meanwhile: localCopies ? ['Everything works as it should.'] : [notUsed] }
  if (breaker === 'half-open') return { sign: '◐', word: 'trying', mood: 'warn', ...words }
  if (state === 'degraded') return { sign: '▲', word: 'limping', mood: 'warn', ...words, meanwhile: [`Redis refuses some commands: ${reason ?? 'it does not say why'}.`, ...words.meanwhile] }
  return { sign: '✖', word: 'away', mood: 'bad', ...words, meanwhile: [`Redis is away: ${reason ?? 'it does not answer'}.`, ...words.meanwhile] }
}

const notUsed = 'Copies in this process are not used until Redis tells again what has changed.'

function meanwhile (localCopies: boolean, queuedInvalidations: number): string[] {
  return [
    'The cache asks the source itself, once for all who wait in this process.',
    ...(localCopies ? [] : [notUsed]),
    `${figure(queuedInvalidations)} invalidations wait for Redis, and go before anything else when it is back.`,
    'Limits are counted in this process, at its share.',
    'Sessions are answered by the database; what ends meanwhile stays ended.',
    'Counts of callers are kept until Redis is back; what there is no room for is counted as dropped.'
  ]
}
