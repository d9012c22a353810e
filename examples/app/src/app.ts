import accepts from '@fastify/accepts'
import cache from '@respite/cache'
import tracking from '@respite/hll-tracking'
import invalidator from '@respite/invalidator'
import rateLimit from '@respite/ratelimit'
import redis from '@respite/redis'
import session from '@respite/session'
import Fastify, { type FastifyInstance } from 'fastify'
import { refuseBadInput } from './bad-input.ts'
import type { PostgresPool } from './database/postgres.ts'
import { openStorage } from './database/storage.ts'
import { describeRoutes } from './docs.ts'
import { type Environment, redisUrl } from './environment.ts'
import { endConnectionsOnClose } from './last-answers.ts'
import { limitOptions } from './limits.ts'
import { servePages } from './pages/pages.ts'
import { routes } from './routes/routes.ts'
import { RequestLog } from './request-log.ts'
import { readSecrets } from './secrets.ts'

/** What a test brings along. */
export interface Given {
  /** Instead of DATABASE_URL; opened and closed by whoever gives it. */
  pool?: PostgresPool
  /** Where the log goes instead of the standard output. */
  log?: { write (line: string): void }
}

/** The app, composed and ready to listen. */
export async function buildApp (environment: Environment, given: Given = {}): Promise<FastifyInstance> {
  const { LOG_LEVEL, EMBEDDED, TRUST_PROXY, CACHE_PREFIX, CACHE_DEFAULT_TTL, CACHE_MAX_ITEMS } = environment
  const secrets = readSecrets(environment)
  const storage = await openStorage(environment, given.pool)
  const logger = { level: LOG_LEVEL, ...(given.log && { stream: given.log }) }
  const app = Fastify({ logger, logController: new RequestLog(), bodyLimit: 65_536, trustProxy: [...TRUST_PROXY] })
  app.addHook('onClose', () => storage.database.close())

  await app.register(redis, { url: redisUrl(environment), embedded: EMBEDDED, clientIp: { trust: TRUST_PROXY } })
  await app.register(cache, { prefix: CACHE_PREFIX, ttl: CACHE_DEFAULT_TTL, maxItems: CACHE_MAX_ITEMS })
  await app.register(invalidator)
  await app.register(session, { secrets: [secrets.session], durable: storage.sessions, transports: ['bearer', 'cookie'] })
  await app.register(rateLimit, limitOptions(environment))
  await app.register(tracking, { key: secrets.tracking })

  await app.register(accepts)
  refuseBadInput(app)
  endConnectionsOnClose(app)
  await servePages(app)
  await describeRoutes(app)
  await app.register(routes, { environment, storage, secrets })
  return app
}
