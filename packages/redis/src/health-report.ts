import { systemClock } from './clock.ts'
import type { Health, HealthPart, HealthReport, HealthStatus } from './health.ts'
import type { Link } from './link/link.ts'

const order: readonly HealthStatus[] = ['ok', 'degraded', 'down']

/** The health of the link, and of whoever adds a part. A part that fails is `down`, and the others are told all the same. */
export function createHealth (link: Link, breaker: () => HealthReport['breaker']): Health {
  const parts = new Map<string, () => HealthPart | Promise<HealthPart>>()
  let since = new Date().toISOString()
  link.on('state', () => { since = new Date().toISOString() })

  const partOf = async (part: () => HealthPart | Promise<HealthPart>): Promise<HealthPart> => {
    try {
      return await part()
    } catch {
      // Its error may hold what must not be shown.
      return { status: 'down', reason: 'its report failed' }
    }
  }

  return {
    add (name, part) {
      if (parts.has(name)) throw new TypeError(`the part '${name}' of the health report is taken`)
      parts.set(name, part)
    },
    async report () {
      const [latencyMs, all] = await Promise.all([latencyOf(link), Promise.all(Array.from(parts, async ([name, part]) => [name, await partOf(part)] as const))])
      const { server, version } = link.features
      const own: HealthStatus = link.state === 'up' || link.state === 'embedded' ? 'ok' : 'degraded'
      const worst = Math.max(order.indexOf(own), ...all.map(([, { status }]) => order.indexOf(status)))
      return {
        status: order[worst]!,
        redis: { state: link.state, latencyMs, since, server: server === 'unknown' ? null : `${server} ${version}`, ...(link.reason === undefined ? {} : { reason: link.reason }) },
        breaker: breaker(),
        parts: Object.fromEntries(all)
      }
    }
  }
}

async function latencyOf (link: Link): Promise<number | null> {
  if (link.embedded) return null
  const startMs = systemClock.monotonicMs()
  try {
    await link.send('PING')
    return systemClock.monotonicMs() - startMs
  } catch {
    // The state says why.
    return null
  }
}
