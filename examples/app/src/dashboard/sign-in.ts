import type { FastifyInstance } from 'fastify'
import { perMinute } from '../limits.ts'
import { done, refusal } from '../routes/answers.ts'
import { plainRoute } from '../routes/plain-route.ts'
import { isFromElsewhere } from './access.ts'
import { closedPage, closedWords } from './closed.ts'
import { passCookie, type Passes } from './passes.ts'

const tags = ['operation']
const body = { type: 'object', required: ['token'], properties: { token: { type: 'string', minLength: 1, maxLength: 1_024 } } } as const
const elsewhere = { error: 'This was sent by a page of another origin!' }

/** The way into the dashboard and out again. @param options.passes - undefined where there is no token */
export async function signInRoutes (app: FastifyInstance, { passes }: { passes: Passes | undefined }): Promise<void> {
  app.get('/dashboard/sign-in', { config: plainRoute, schema: { hide: true } }, async (request, reply) => {
    return passes === undefined ? reply.code(403).type('text/html; charset=utf-8').send(closedPage) : reply.sendPage('sign-in')
  })

  app.post<{ Body: { token: string } }>('/dashboard/session', {
    config: { session: false, rateLimit: perMinute('dashboard', 5) },
    schema: { tags, summary: 'Shows DASHBOARD_TOKEN; sets a cookie that is good for 12 hours', body, response: { 200: done('It was the token'), 400: refusal('The body is no use'), 403: refusal('It was not, or there is none'), 429: refusal('Too many') } }
  }, async (request, reply) => {
    if (isFromElsewhere(request)) return reply.code(403).send(elsewhere)
    if (passes === undefined) return reply.code(403).send({ error: closedWords })
    if (!passes.isToken(request.body.token)) return reply.code(403).send({ error: 'That is not the token!' })
    return reply.headers({ 'cache-control': 'no-store', 'set-cookie': passCookie(request, passes.issue()) }).send({})
  })

  app.post('/dashboard/sign-out', {
    config: plainRoute, schema: { tags, summary: 'Takes the cookie back', response: { 200: done('It is gone'), 403: refusal('Sent by a page of another origin') } }
  }, async (request, reply) => {
    if (isFromElsewhere(request)) return reply.code(403).send(elsewhere)
    return reply.headers({ 'cache-control': 'no-store', 'set-cookie': passCookie(request, '') }).send({})
  })
}
