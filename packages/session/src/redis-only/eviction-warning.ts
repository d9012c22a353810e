import type { Link } from '@respite/redis'
import type { FastifyBaseLogger } from 'fastify'

/**
 * Warns once of a server that may evict what has not expired: each such session is a log-out.
 * @returns the way to stop looking
 */
export function warnOfEviction (link: Link, log: FastifyBaseLogger): () => void {
  let asked = false
  const look = () => {
    if (asked || link.state !== 'up') return
    asked = true
    link.send('INFO', 'memory').then(text => {
      const policy = /^maxmemory_policy:(\S+)/m.exec(String(text))?.[1]
      if (policy !== undefined && policy !== 'noeviction') {
        log.warn({ policy }, "with durable: 'none' each session that Redis evicts is logged out: set maxmemory-policy noeviction")
      }
    }, (error: unknown) => {
      asked = false
      log.debug({ err: error }, 'the maxmemory-policy of Redis could not be read')
    })
  }
  look()
  return link.on('state', look)
}
