import type { FastifyInstance } from 'fastify'
import { done, refusal } from './answers.ts'

const tags = ['accounts']
const security = [{ bearer: [] }]
const params = { type: 'object', properties: { id: { type: 'string', minLength: 1, maxLength: 128 } } } as const

const time = { type: 'string', format: 'date-time' } as const

const own = {
  type: 'object',
  properties: {
    sessions: {
      type: 'array',
      items: { type: 'object', properties: { id: { type: 'string' }, createdAt: time, idleUntil: time, expiresAt: time, current: { type: 'boolean' } } }
    }
  }
} as const

/** Seeing and ending one's own sessions. */
export async function sessionRoutes (app: FastifyInstance): Promise<void> {
  const config = { session: 'required' as const }

  app.get('/sessions', {
    config, schema: { tags, security, summary: 'Your sessions, the latest log-in first', response: { 200: own, 401: refusal('No session') } }
  }, async request => {
    const sessions = await app.sessions.list(request.session.userId!)
    return { sessions: sessions.map(session => ({ ...session, current: session.id === request.session.id })) }
  })

  app.delete<{ Params: { id: string } }>('/sessions/:id', {
    config,
    schema: { tags, security, summary: 'End one of your sessions', params, response: { 200: done('It has ended'), 401: refusal('No session'), 404: refusal('You have no such session') } }
  }, async (request, reply) => {
    // With the user's id: whoever knows the id of somebody else's session can do nothing with it.
    const { ended } = await app.sessions.revoke({ id: request.params.id, userId: request.session.userId! })
    return ended.length > 0 ? {} : reply.code(404).send({ error: 'No such session!' })
  })

  app.post('/logout', {
    config, schema: { tags, security, summary: 'End this session', response: { 200: done('It has ended'), 401: refusal('No session') } }
  }, async (request, reply) => {
    await reply.logout()
    return {}
  })
}
