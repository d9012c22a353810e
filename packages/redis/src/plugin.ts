import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { addClient, createBacking } from './backing.ts'
import type { Bus } from './bus/bus.ts'
import { createClientIp } from './client-ip.ts'
import { systemClock } from './clock.ts'
import { ContractRegistry } from './contracts.ts'
import { FST_RSP_REDIS_TWICE } from './errors.ts'
import { createHealth } from './health-report.ts'
import { createKeyspace } from './keyspace.ts'
import { bindPromClient } from './metrics/prom-client.ts'
import { createMetrics } from './metrics/registry.ts'
import { type RedisOptions, resolveOptions } from './options.ts'
import { systemChance } from './random.ts'
import type { Respite } from './respite.ts'
import { createRequestGate } from './route-duties.ts'

declare module 'fastify' {
  interface FastifyInstance {
    respite: Respite
    /** `fastify.respite.bus`, unless something else of this name was there first. */
    bus: Bus
  }
}

async function plugin (fastify: FastifyInstance, given: RedisOptions): Promise<void> {
  const options = resolveOptions(given)
  if (fastify.hasDecorator('respite')) {
    if (options.namespace === undefined) throw new FST_RSP_REDIS_TWICE()
    await addClient(fastify, options)
    return
  }
  const log = fastify.log.child({ plugin: '@respite/redis' })
  const keyspace = createKeyspace(options.keyPrefix)
  const metrics = createMetrics({ log })
  const { registry } = options.metrics
  if (registry !== undefined) {
    const unbind = bindPromClient(metrics, registry)
    fastify.addHook('onClose', async () => unbind())
  }
  const { link, bus, invalidations, breaker, close } = await createBacking(fastify, options, { keyspace, metrics, log })
  const contracts = new ContractRegistry()
  contracts.provide('clientIp', createClientIp(options.clientIp, log))
  fastify.addHook('onClose', close)
  if (!fastify.hasDecorator('bus')) fastify.decorate('bus', bus)
  fastify.decorate('respite', {
    link,
    bus,
    invalidations,
    keyspace,
    metrics,
    health: createHealth(link, breaker),
    requests: createRequestGate(fastify),
    clock: systemClock,
    chance: systemChance,
    logger: name => fastify.log.child({ plugin: name }),
    provide: (name, contract) => contracts.provide(name, contract),
    use: name => contracts.use(name),
    find: name => contracts.find(name)
  })
}

/** Decorates `fastify.respite` and `fastify.redis`. */
export const redis = fp(plugin, { fastify: '5.x', name: '@respite/redis' })
export default redis
