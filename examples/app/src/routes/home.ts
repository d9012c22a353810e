import type { FastifyInstance } from 'fastify'
import { html, page } from '../html.ts'

const json = "-H 'content-type: application/json'"
const bearer = '-H "authorization: Bearer $TOKEN"'
const body = (name: string) => `-d '{"username":"${name}","password":"correct horse"}'`

const routes: ReadonlyArray<readonly [string, string, (url: string) => string]> = [
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
  ['PUT /entries/:id', 'change one', url => `curl -X PUT ${json} -d '{"title":"hello","content":"again"}' ${url}/entries/1`],
  ['DELETE /entries/:id', 'delete one', url => `curl -X DELETE ${url}/entries/1`],
  ['GET /health', 'every dependency, asked just now', url => `curl ${url}/health`],
  ['GET /metrics', 'for Prometheus', url => `curl ${url}/metrics`],
  ['GET /docs', 'all of it as OpenAPI', url => `curl ${url}/docs/json`]
]

/** The front door: what there is, and how to ask for it. */
export async function homeRoutes (app: FastifyInstance): Promise<void> {
  app.get('/', {
    config: { session: false, rateLimit: false },
    schema: { tags: ['operation'], summary: 'This list, as a page', response: { 200: { description: 'HTML', type: 'string' } } }
  }, async (request, reply) => {
    const url = `${request.protocol}://${request.host}`
    return reply.type('text/html; charset=utf-8').send(page('Respite', html`<h1>Respite</h1>
<p>One Fastify app: sessions, limits, a cache, its invalidation, and counts. <a href="/docs">All routes as OpenAPI</a>.</p>
<p>The token that <code>/login</code> returns goes into <code>TOKEN</code>.</p>
<dl>
${routes.map(([name, what, curl]) => html`<dt>${name}</dt><dd>${what}<pre>${curl(url)}</pre></dd>
`)}</dl>`))
  })
}
