import type { FastifyInstance } from 'fastify'
import type { Database } from '../database/database.ts'
import { withDeadline } from '../deadline.ts'
import { plainRoute } from './plain-route.ts'

const databaseDeadlineMs = 1_000

const report = {
  type: 'object',
  properties: { status: { enum: ['ok', 'degraded', 'down'] } },
  additionalProperties: true
} as const

const schema = {
  tags: ['operation'],
  summary: 'Asks Redis, the database and every plugin how they are',
  response: { 200: { description: 'It works, perhaps with less', ...report }, 503: { description: 'It cannot do its work', ...report } }
} as const

/** What a load balancer asks. */
export async function healthRoutes (app: FastifyInstance, { database }: { database: Database }): Promise<void> {
  app.respite.health.add('database', async () => {
    const status = await answers(database) ? 'ok' : 'down'
    return { status, kind: database.kind }
  })

  app.get('/health', { schema, config: plainRoute }, async (request, reply) => {
    const health = await app.respite.health.report()
    reply.header('cache-control', 'no-store')
    return reply.code(health.status === 'down' ? 503 : 200).send(health)
  })
}

async function answers (database: Database): Promise<boolean> {
  try {
    return await withDeadline(database.query('SELECT 1').then(() => true), databaseDeadlineMs, false)
  } catch {
    return false // it refused: whatever the reason, it cannot be worked with
  }
}
