import type { FastifyInstance } from 'fastify'
import { refusal } from '../routes/answers.ts'
import { plainRoute } from '../routes/plain-route.ts'
import { accessBy, isFromElsewhere } from './access.ts'
import { Broadcast } from './broadcast.ts'
import { closedPage, closedWords } from './closed.ts'
import { Passes } from './passes.ts'
import { Pseudonyms } from './pseudonyms.ts'
import { signInRoutes } from './sign-in.ts'

/** What the dashboard is guarded and keyed with. */
export interface DashboardOptions {
  /** Opens it to those who do not sit at this machine; undefined: to nobody else. */
  token: string | undefined
  /** Keys the names under which people are shown. */
  namesSecret: string
}

const tags = ['operation']
const page = { description: 'HTML', type: 'string' } as const
const pageAnswers = { 200: page, 303: { description: 'To the page that asks for the token', type: 'null' }, 403: page } as const
const eventAnswers = { 200: { description: 'text/event-stream', type: 'string' }, 403: refusal('Not at this machine, and no token was shown'), 503: refusal('Too many look on') } as const

/** The live dashboard: its page, the events behind it, and the way in. */
export async function dashboardRoutes (app: FastifyInstance, { token, namesSecret }: DashboardOptions): Promise<void> {
  const passes = token === undefined ? undefined : new Passes(token, app.respite.clock)
  const access = accessBy(passes)
  const broadcast = new Broadcast(app, new Pseudonyms(namesSecret))
  const { viewers } = broadcast
  app.addHook('onReady', async () => broadcast.start())
  app.addHook('preClose', async () => broadcast.close())
  await app.register(signInRoutes, { passes })

  app.get('/dashboard', {
    config: plainRoute, schema: { tags, summary: 'What the app does, live; at this machine, or with DASHBOARD_TOKEN', response: pageAnswers }
  }, async (request, reply) => {
    reply.header('cache-control', 'no-store')
    if (access(request) !== undefined) return reply.sendPage('dashboard')
    if (passes !== undefined) return reply.redirect('/dashboard/sign-in', 303)
    return reply.code(403).type('text/html; charset=utf-8').send(closedPage)
  })

  // Without a HEAD of its own: events have no end, and so no length that could be told.
  app.get('/dashboard/events', {
    config: plainRoute, exposeHeadRoute: false, schema: { tags, summary: 'The same as server-sent events: history, second, answers', response: eventAnswers }
  }, async (request, reply) => {
    const untilMs = access(request)
    reply.header('cache-control', 'no-store')
    if (untilMs === undefined || isFromElsewhere(request)) return reply.code(403).send({ error: closedWords })
    if (!viewers.isOpen) return reply.code(503).header('retry-after', '10').send({ error: 'Too many look on!' })
    // The connection ends with the events: it would else keep a server that closes from closing.
    reply.headers({ connection: 'close', 'x-accel-buffering': 'no' }).type('text/event-stream; charset=utf-8')
    return reply.send(broadcast.join(lastIdOf(request.headers['last-event-id']), untilMs))
  })
}

const lastIdOf = (header: string | string[] | undefined) => typeof header === 'string' ? header : undefined
