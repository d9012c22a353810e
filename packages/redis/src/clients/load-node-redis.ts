import { createRequire } from 'node:module'
import { FST_RSP_REDIS_CLIENT_UNKNOWN } from '../errors.ts'
import type { NodeRedisModule } from './node-redis-shapes.ts'

/** The app's own node-redis: a cluster of it does not say how to make a client. */
export function loadNodeRedis (): NodeRedisModule {
  const places = [import.meta.url, `${process.cwd()}/index.js`].map(place => createRequire(place))
  for (const require of places) {
    for (const name of ['redis', '@redis/client']) {
      try {
        return require(name) as NodeRedisModule
      } catch {
        // Looked for in the next place.
      }
    }
  }
  throw new FST_RSP_REDIS_CLIENT_UNKNOWN('a cluster of node-redis, but the package redis is not found')
}
