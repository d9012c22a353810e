import { bindPromClient } from '@respite/redis'
import type { FastifyInstance } from 'fastify'
import { collectDefaultMetrics, Registry } from 'prom-client'
import { plainRoute } from './plain-route.ts'

const schema = { tags: ['operation'], summary: 'All metrics, for Prometheus', response: { 200: { description: 'Text format', type: 'string' } } } as const

/** What Prometheus asks: the process's own metrics, and those of the plugins. */
export async function metricRoutes (app: FastifyInstance): Promise<void> {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  const unbind = bindPromClient(app.respite.metrics, registry)
  app.addHook('onClose', async () => unbind())

  app.get('/metrics', { schema, config: plainRoute }, async (request, reply) => {
    return reply.type(registry.contentType).send(await registry.metrics())
  })
}
