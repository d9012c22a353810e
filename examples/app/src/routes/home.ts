import type { FastifyInstance } from 'fastify'
import { html, page } from '../html.ts'
import { plainRoute } from './plain-route.ts'

const json = "-H 'content-type: application/json'"
const bearer = '-H "authorization: Bearer $TOKEN"'
const body = (name: string) => `-d '{"username":"${name}","password":"correct horse"}'`

// Of a page the address alone: what opens one is called differently everywhere.
const routes: ReadonlyArray<readonly [string, string, (url: string) => string]> = [
  ['GET /', 'Battle Mode: what a cache does to a slow API, in the browser', url => `${url}/`],
  ['POST /signup', 'a new user', url => `curl ${json} ${body('ada')} ${url}/signup`],
  ['POST /login', 'a session; the one before it ends', url => `curl ${json} ${body('ada')} ${url}/login`],
  ['GET /sessions', 'your own sessions', url => `curl ${bearer} ${url}/sessions`],
  ['DELETE /sessions/:id', 'end one of them', url => `curl -X DELETE ${bearer} ${url}/sessions/ID`],
  ['POST /logout', 'end this one', url => `curl -X POST ${bearer} ${url}/logout`],
  ['GET /ping', 'once in 5 s and twice in a minute, and counted', url => `curl ${bearer} ${url}/ping`],
  ['GET /top', 'who called /ping most often', url => `curl ${url}/top`],
  ['GET /count', 'how many users have called /ping', url => `curl ${url}/count`],
  ['GET /weather', 'a slow upstream behind a cache of 10 s', url => `curl -i '${url}/weather?lat=52&lon=13&mock=true'`],
  ['GET /entries', 'lists that are cached, and dropped by a write', url => `curl '${url}/entries?page=1&size=10'`],
  ['POST /entries', 'write one', url => `curl ${json} -d '{"title":"hello","content":"world"}' ${url}/entries`],
  ['GET /entries/:id', 'read one', url => `curl ${url}/entries/1`],
  ['GET /entries/:id/copy', 'the copy one server has of it, and where it lay', url => `curl ${url}/entries/1/copy`],
  ['PUT /entries/:id', 'change one', url => `curl -X PUT ${json} -d '{"title":"hello","content":"again"}' ${url}/entries/1`],
  ['DELETE /entries/:id', 'delete one', url => `curl -X DELETE ${url}/entries/1`],
  ['GET /health', 'every dependency, asked just now', url => `curl ${url}/health`],
  ['GET /metrics', 'for Prometheus', url => `curl ${url}/metrics`],
  ['GET /dashboard', 'what the app does, live in the browser', url => `${url}/dashboard`],
  ['GET /dashboard/events', 'the same as server-sent events', url => `curl -N ${url}/dashboard/events`],
  ['POST /dashboard/session', 'show DASHBOARD_TOKEN, for a cookie', url => `curl -i ${json} -d '{"token":"…"}' ${url}/dashboard/session`],
  ['POST /dashboard/sign-out', 'give the cookie back', url => `curl -i -X POST ${url}/dashboard/sign-out`],
  ['GET /docs', 'all of it as OpenAPI', url => `curl ${url}/docs/json`]
]

const pageAnswer = { description: 'HTML', type: 'string' } as const

/** The front door, and the list of what there is and how to ask for it. */
export async function homeRoutes (app: FastifyInstance): Promise<void> {
  app.get('/', {
    config: plainRoute, schema: { tags: ['operation'], summary: 'Battle Mode: what a cache does to a slow API, live in the browser', response: { 200: pageAnswer } }
  }, async (request, reply) => reply.sendPage('index'))

  app.get('/routes', {
    config: plainRoute, schema: { tags: ['operation'], summary: 'All routes, each with how to try it', response: { 200: pageAnswer } }
  }, async (request, reply) => {
    const url = `${request.protocol}://${request.host}`
    return reply.type('text/html; charset=utf-8').send(page('Respite: all routes', html`<h1>All routes</h1>
<p>One Fastify app: sessions, limits, a cache, its invalidation, and counts. <a href="/">See it in the browser</a>; <a href="/docs">all routes as OpenAPI</a>.</p>
<p>The token that <code>/login</code> returns goes into <code>TOKEN</code>.</p>
<dl>
${routes.map(([name, what, howTo]) => html`<dt>${name}</dt><dd>${what}<pre>${howTo(url)}</pre></dd>
`)}</dl>`))
  })
}
