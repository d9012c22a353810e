import t from 'tap'
import { until } from '@respite/testing'
import pino from 'pino'
import { createAdapter } from '../src/clients/client-kind.ts'
import { systemClock } from '../src/clock.ts'
import { createRedisLink, type RedisLink } from '../src/link/redis-link.ts'
import { createMetrics } from '../src/metrics/registry.ts'

/** A link over a client's adapter, and what it logs. */
export function connect (client: object, settings: { deadlineMs?: number, breaker?: { failures: number, probeEveryMs: number } } = {}) {
  const lines: { level: number, msg: string, reason?: string }[] = []
  const log = pino({ level: 'trace' }, { write: (line: string) => { lines.push(JSON.parse(line)) } })
  const metrics = createMetrics()
  const adapter = createAdapter(client)
  const link = createRedisLink({ adapter, metrics, log, clock: systemClock, deadlineMs: 1_000, breaker: { failures: 5, probeEveryMs: 100 }, ...settings })
  t.teardown(() => link.close())
  return { link, adapter, metrics, lines }
}

/** The same, once it is up. */
export async function connected (client: object, settings: Parameters<typeof connect>[1] = {}) {
  const made = connect(client, settings)
  await isUp(made.link)
  return made
}

export const isUp = (link: RedisLink) => until('the link is up', () => link.state === 'up')
