import type { Test } from 'tap'
import type { LinkState } from '../../src/link/link.ts'
import { createRedisLink, type RedisLink } from '../../src/link/redis-link.ts'
import { createMetrics } from '../../src/metrics/registry.ts'
import { MockedAdapter } from '../mocked-adapter.ts'

export interface MockedLinkSettings {
  /** @default 60 s: no test reaches it unless it means to */
  deadlineMs?: number
  /** @default one that never opens, and is never tried */
  breaker?: { failures?: number, probeEveryMs?: number }
}

/**
 * A link that is up, over a server that ioredis-mock plays; what it logs at info and above; and its clock, which stands
 * still until a test moves it. A call expires when its deadline has passed by that clock and by the machine's.
 */
export async function mockedLink (t: Test, { deadlineMs = 60_000, breaker }: MockedLinkSettings = {}) {
  const adapter = new MockedAdapter()
  const clock = { nowMs: 0, monotonicMs: () => clock.nowMs, wallMs: () => 0 }
  const lines: string[] = []
  const say = (about: object, line: string) => { lines.push(line) }
  const log = { info: say, warn: say, debug: () => {} } as never
  const link = createRedisLink({ adapter, metrics: createMetrics(), log, clock, deadlineMs, breaker: { failures: 10_000, probeEveryMs: 60_000, ...breaker } })
  t.teardown(() => {
    adapter.lose() // nothing is under way any more, so nothing is waited for
    return link.close()
  })
  await becomes(link, 'up')
  return { link, adapter, clock, lines }
}

/** Resolves when the link says that it is in this state, or is in it. */
export function becomes (link: RedisLink, state: LinkState): Promise<void> {
  return new Promise(resolve => {
    const look = () => {
      if (link.state !== state) return
      stop()
      resolve()
    }
    const stop = link.on('state', look)
    look()
  })
}

/** What the app sent, and the probes of the breaker: without the questions by which the server is watched. */
export const sentBy = (adapter: MockedAdapter) => adapter.sent.filter(name => name !== 'INFO' && name !== 'COMMAND')
