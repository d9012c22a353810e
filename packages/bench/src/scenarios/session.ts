import type { Redis } from 'ioredis'
import { type HttpCandidate, httpCandidate, type PreparedServer } from '../http-candidate.ts'
import type { Candidate, Scenario } from '../scenario.ts'
import { forged, login } from '../visitor.ts'

const path = '/work'
/** As many sessions as connections: each connection is its own user. */
const users = 64
/** Eight connections to each: that is what sharing a SELECT is for. */
const fewUsers = 8
/** Of JSON: `candidates/session/shop.mjs`. */
const dataBytes = 4_096

/** What a request pays to know who is asking. */
export const session: Scenario = {
  name: 'session',
  about: 'a read-only request with a session of 4 KB, by 64 connections',
  unit: 'rps',
  candidates: [
    candidate('bare', { module: 'bare', redis: false }),
    candidate('peers', { module: 'peers', redis: true }),
    candidate('peers-not-rolling', { module: 'peers', redis: true, env: { BENCH_ROLLING: '0' } }),
    candidate('respite', { ...ours('sqlite'), redis: true }),
    candidate('respite-postgres', { ...ours('postgres'), redis: true }),
    candidate('respite-l1', { ...ours('sqlite', { BENCH_L1: '1' }), redis: true }),
    candidate('respite-none', { module: 'respite', env: { BENCH_DURABLE: 'none' }, redis: true })
  ],
  targets: [{ over: 'peers', atLeast: 2 }],
  bounds: ['respite', 'respite-postgres', 'respite-l1', 'respite-none'].flatMap(name => [
    // With copies in the process: heartbeats, a read of each session in ten seconds, and what a machine makes of them that is too busy to hear them in time.
    { candidate: name, figure: 'redisCallsPerRequest', atMost: name === 'respite-l1' ? 0.02 : 1 },
    { candidate: name, figure: 'redisWritesPerRequest', atMost: 0 },
    ...name === 'respite-none' ? [] : [{ candidate: name, figure: 'durableWritesPerRequest', atMost: 0 }]
  ])
}

/** What the loss of Redis costs: a session that is asked for by several requests at once is read once for all of them. */
export const sessionFallback: Scenario = {
  name: 'session-fallback',
  about: `the same request with Redis gone, by 64 connections of ${fewUsers} users; respite-with-redis still has it`,
  unit: 'rps',
  candidates: [
    candidate('respite', { ...ours('sqlite'), redis: 'gone', fewUsers: true }),
    candidate('respite-postgres', { ...ours('postgres'), redis: 'gone', fewUsers: true }),
    candidate('respite-with-redis', { ...ours('sqlite'), redis: true, fewUsers: true })
  ],
  targets: [],
  bounds: ['respite', 'respite-postgres'].map(name => ({ candidate: name, figure: 'selectsOfASessionAtOnce', atMost: 1 }))
}

interface Variant extends Pick<HttpCandidate, 'redis' | 'env' | 'counters' | 'word'> {
  module: string
  ours?: boolean
  fewUsers?: boolean
}

function ours (durable: string, more: Record<string, string> = {}): Omit<Variant, 'redis'> {
  return {
    module: 'respite',
    ours: true,
    env: { BENCH_DURABLE: durable, ...more },
    counters: { durableWritesPerRequest: asking('durableWrites'), selectsPerRequest: asking('selects') },
    word: async server => `over ${String(await server.ask('durable'))}`
  }
}

function candidate (name: string, { module, ours, fewUsers: few, counters, ...variant }: Variant): Candidate {
  const sessions = few === true ? fewUsers : users
  const withRedis = variant.redis === true
  return httpCandidate({
    ...variant,
    name,
    module: `candidates/session/${module}.mjs`,
    path,
    prepare: server => prepare(name, server, sessions),
    counters: { ...counters, ...withRedis && { redisWritesPerRequest: changesOf } },
    figures: async server => ({
      ...withRedis && { bytesBesideData: await heldBytes(server.redis!) / sessions - dataBytes },
      ...ours === true && { selectsOfASessionAtOnce: Number(await server.ask('selectsAtOnce')) }
    })
  })
}

function asking (question: string): (server: PreparedServer) => Promise<number> {
  return async server => Number(await server.ask(question))
}

/** How many changes of keys the server has counted. */
async function changesOf ({ redis }: PreparedServer): Promise<number> {
  return Number(/rdb_changes_since_last_save:(\d+)/.exec(await redis!.info('persistence'))?.[1])
}

/** What Redis holds for all sessions. */
async function heldBytes (redis: Redis): Promise<number> {
  let bytes = 0
  for (const key of await redis.keys('*')) if (/^sess:|:session:/.test(key)) bytes += Number(await redis.memory('USAGE', key, 'SAMPLES', 0))
  return bytes
}

/** @throws Error when a session is not its user's, or no session is one */
async function prepare (name: string, { origin }: PreparedServer, sessions: number): Promise<readonly string[]> {
  const must = (holds: boolean, what: string) => { if (!holds) throw new Error(`${name}: ${what}`) }
  const ask = async (cookie: string | undefined) => {
    const response = await fetch(origin + path, { headers: cookie === undefined ? {} : { cookie } })
    return { status: response.status, body: await response.json() as { userId?: string, theme?: string, articles?: number } }
  }
  const cookies: string[] = []
  for (let i = 0; i < sessions; i++) cookies.push(await login(origin, `user-${i}`))
  const answers = await Promise.all(cookies.map(ask))
  must(answers.every(({ status, body }) => status === 200 && body.theme === 'dark' && body.articles === 20), 'a session has not what it was given')
  if (name === 'bare') return cookies
  must(answers.every(({ body }, i) => body.userId === `user-${i}`), 'a session is not its user\'s')
  must((await ask(undefined)).status === 401, 'a request without a session is not refused')
  must((await ask(forged(cookies[0]!))).status === 401, 'a forged cookie is not refused')
  return cookies
}
