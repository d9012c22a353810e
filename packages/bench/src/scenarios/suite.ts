import { httpCandidate, type PreparedServer } from '../http-candidate.ts'
import type { Candidate, Scenario } from '../scenario.ts'
import { forged, login } from '../visitor.ts'

const path = '/work'
/** As many users as connections: each connection is its own caller. */
const users = 64

/** What a candidate says it does; each is proven before it is measured. */
interface Duties { session: boolean, limit: boolean, cache: boolean, tracking: boolean }

const none: Duties = { session: false, limit: false, cache: false, tracking: false }
const all: Duties = { session: true, limit: true, cache: true, tracking: true }

/** The whole suite on one route, beside the libraries that people put together for it. */
export const suite: Scenario = {
  name: 'suite',
  about: 'one route that loads a session, checks a limit by IP, reads a cached object of 500 bytes and tracks the caller',
  unit: 'rps',
  candidates: [
    candidate('bare', none, false),
    candidate('redis1', none, true),
    candidate('peers', all, true),
    candidate('respite', all, true)
  ],
  targets: [{ over: 'peers', atLeast: 2 }]
}

function candidate (name: string, duties: Duties, redis: boolean): Candidate {
  return httpCandidate({ name, module: `candidates/suite/${name}.mjs`, redis, path, prepare: server => prepare(name, duties, server) })
}

/**
 * Logs all users in, and proves the duties by what can be seen from outside and by what the server counts.
 * @throws Error naming the duty that is not done
 */
async function prepare (name: string, duties: Duties, server: PreparedServer): Promise<readonly string[]> {
  const must = (holds: boolean, what: string) => { if (!holds) throw new Error(`${name}: ${what}`) }
  const cookies: string[] = []
  for (let i = 0; i < users; i++) cookies.push(await login(server.origin, userId(i)))
  const answers = await Promise.all(cookies.map(cookie => ask(server.origin, cookie)))
  const bodies = answers.map(answer => answer.body)
  must(answers.every(({ status }) => status === 200), `not every user is answered: ${answers.map(({ status }) => status).join(' ')}`)
  must(bodies.every(({ item }) => JSON.stringify(item).length === 500), 'the cached object is not of 500 bytes')
  if (duties.session) {
    must(bodies.every((body, i) => body.userId === userId(i)), 'a session is not its user\'s')
    must((await ask(server.origin, undefined)).status === 401, 'a request without a session is not refused')
    must((await ask(server.origin, forged(cookies[0]!))).status === 401, 'a forged cookie is not refused')
  }
  if (duties.limit) {
    const [first, second] = [await ask(server.origin, cookies[0]!), await ask(server.origin, cookies[0]!)]
    must(first.remaining > 0 && second.remaining < first.remaining, `the limit does not count: ${first.remaining}, then ${second.remaining} remaining`)
  }
  if (duties.cache) {
    must(await server.ask('fills') === 1, 'the cached object was loaded more than once')
    must((await server.redis!.keys('*item:42*')).length + (await server.redis!.keys('*item%3A42*')).length > 0, 'the cached object is not in Redis')
  }
  if (duties.tracking) {
    const callers = Number(await server.ask('callers'))
    must(callers >= users - 2 && callers <= users + 2, `${users} callers are counted as ${callers}`)
  }
  return cookies
}

const userId = (i: number) => `user-${String(i).padStart(2, '0')}`

async function ask (origin: string, cookie: string | undefined) {
  const response = await fetch(origin + path, { headers: cookie === undefined ? {} : { cookie } })
  return {
    status: response.status,
    remaining: Number(response.headers.get('x-ratelimit-remaining') ?? Number.NaN),
    body: await response.json() as { userId?: string, item?: unknown }
  }
}
