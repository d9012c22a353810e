import type { Link } from '@respite/redis'
import type { FastifyBaseLogger } from 'fastify'

/**
 * Warns once of a server that may evict what has not expired, also if it is one of many masters: each such session is a log-out.
 * @returns the way to stop looking
 */
export function warnOfEviction (link: Link, log: FastifyBaseLogger): () => void {
  let warned = false
  const look = () => {
    const { maxmemoryPolicy: policy } = link.features
    if (warned || link.state !== 'up' || policy === undefined || policy === 'noeviction') return
    warned = true
    log.warn({ policy }, "with durable: 'none' each session that Redis evicts is logged out: set maxmemory-policy noeviction")
  }
  look()
  const unwatch = [link.on('state', look), link.on('generation', look)]
  return () => { for (const stop of unwatch) stop() }
}
