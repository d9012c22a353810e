import type { FastifyInstance } from 'fastify'
import { pingLimits } from '../limits.ts'
import { done, refusal } from './answers.ts'

const tags = ['usage']

const top = {
  description: 'Up to ten lines, the most frequent caller first',
  type: 'object',
  properties: { topUsersCallingAPIAllTime: { type: 'array', items: { type: 'string' } } }
} as const

const count = { description: 'An estimate', type: 'object', properties: { estimatedCount: { type: 'integer' } } } as const

/** A call that is limited twice and counted, and what was counted. */
export async function usageRoutes (app: FastifyInstance): Promise<void> {
  app.get('/ping', {
    config: { session: 'required', track: 'ping', rateLimit: pingLimits },
    schema: {
      tags,
      summary: 'A call that a user may make once in 5 s and twice in a minute',
      security: [{ bearer: [] }],
      response: { 200: done('It was counted'), 401: refusal('No session'), 429: refusal('Too often') }
    }
  }, async () => ({}))

  app.get('/top', { schema: { tags, summary: 'Who called /ping most often', response: { 200: top } } }, async () => {
    const callers = await app.tracking.top('ping', { k: 10 })
    return { topUsersCallingAPIAllTime: callers.map(({ id, count }) => `CallingPingAPI userID:${id} called ${count} times`) }
  })

  app.get('/count', { schema: { tags, summary: 'How many users have called /ping', response: { 200: count } } }, async () => {
    const { value } = await app.tracking.unique('ping').count()
    return { estimatedCount: value }
  })
}
