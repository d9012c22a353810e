import { systemClock } from '@respite/redis'
import type { FastifyInstance } from 'fastify'
import { dashboardRoutes } from '../dashboard/dashboard.ts'
import type { Storage } from '../database/storage.ts'
import { openEntries } from '../entries/entries.ts'
import type { Environment } from '../environment.ts'
import type { Secrets } from '../secrets.ts'
import { openPasswords } from '../users/passwords.ts'
import { openUsers } from '../users/users.ts'
import { openMeteo } from '../weather/open-meteo.ts'
import { simulated } from '../weather/simulated.ts'
import { accountRoutes } from './accounts.ts'
import { copyRoutes } from './copies.ts'
import { entryRoutes } from './entries.ts'
import { healthRoutes } from './health.ts'
import { homeRoutes } from './home.ts'
import { metricRoutes } from './metrics.ts'
import { sessionRoutes } from './sessions.ts'
import { usageRoutes } from './usage.ts'
import { weatherRoutes } from './weather.ts'

/** What the routes stand on. */
export interface RoutesOptions {
  environment: Environment
  storage: Storage
  secrets: Secrets
}

const now = () => new Date(systemClock.wallMs()).toISOString()

/** All routes, each concern with what it needs and nothing else. */
export async function routes (app: FastifyInstance, { environment, storage: { database }, secrets }: RoutesOptions): Promise<void> {
  const entries = await openEntries(database, now)
  await app.register(homeRoutes)
  await app.register(accountRoutes, { users: await openUsers(database), passwords: await openPasswords() })
  await app.register(sessionRoutes)
  await app.register(usageRoutes)
  await app.register(weatherRoutes, { upstream: openMeteo(environment.WEATHER_URL), mock: simulated(now) })
  await app.register(entryRoutes, { entries })
  await app.register(copyRoutes, { entries })
  await app.register(healthRoutes, { database })
  await app.register(metricRoutes)
  await app.register(dashboardRoutes, { token: environment.DASHBOARD_TOKEN, namesSecret: secrets.tracking })
}
