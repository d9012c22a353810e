import redisPlugin, { FST_RSP_OPTION_INVALID, type GivenClient, type Link, type Respite } from '@respite/redis'
import type { FastifyInstance } from 'fastify'
import type { FastifyRateLimitStoreCtor } from './hit-store.ts'
import type { ResolvedPluginOptions } from './options.ts'
import { RespiteStore } from './respite-store.ts'

const longestWaitMs = 2_000
const registrations = new WeakMap<object, number>()

/**
 * The store of a registration: over the link of @respite/redis; over a link of its own to the client of option `redis`;
 * in memory where there is neither.
 * @throws FST_RSP_OPTION_INVALID when @respite/redis is there without a server, and a client is given
 */
export async function appStore (app: FastifyInstance, { redis, timeoutMs, ...options }: ResolvedPluginOptions, isNamed: boolean): Promise<FastifyRateLimitStoreCtor> {
  const respite = app.hasDecorator('respite') ? shared(app, redis) : redis === undefined ? undefined : await respiteOf(app, redis)
  if (respite === undefined) return RespiteStore
  app.addHook('onReady', () => untilUp(respite.link))
  const nameSpace = options.nameSpace + (isNamed ? '' : ordinal(app))
  return RespiteStore.over(respite, { nameSpace, ...(timeoutMs === undefined ? {} : { timeoutMs }) })
}

function shared ({ respite }: FastifyInstance, redis: object | undefined): Respite {
  if (redis === undefined) return respite
  if (respite.link.embedded) throw new FST_RSP_OPTION_INVALID('ratelimit/compat', 'redis', 'cannot be used beside @respite/redis, which has no server: give the client to that', 'a client')
  respite.logger('ratelimit').info('the client of option redis is not used: @respite/redis is registered, and has the link')
  return respite
}

// In a context of its own, so that the app's `redis` and `respite` stay what they are: there @respite/redis finds the client.
async function respiteOf (app: FastifyInstance, client: object): Promise<Respite> {
  let respite: Respite | undefined
  await app.register(async scope => {
    Object.defineProperty(scope, 'redis', { value: client as GivenClient })
    await scope.register(redisPlugin)
    respite = scope.respite
  })
  return respite!
}

/** Two registrations of an app do not meet, unless they say the same `nameSpace`. */
function ordinal ({ server }: FastifyInstance): string {
  const count = (registrations.get(server) ?? 0) + 1
  registrations.set(server, count)
  return count === 1 ? '' : `${count}-`
}

/** So that the first requests find a server; not for ever, since an app boots without one. */
async function untilUp (link: Link): Promise<void> {
  if (link.state !== 'down') return
  await new Promise<void>(resolve => {
    const end = () => {
      clearTimeout(timer)
      unlisten()
      resolve()
    }
    const timer = setTimeout(end, longestWaitMs)
    const unlisten = link.on('state', end)
  })
}
