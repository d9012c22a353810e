// One of the processes of the drill `session-history`: logs in, asks, saves, logs out and revokes at random, and remembers when it did what.
// Times are CLOCK_MONOTONIC, which all processes of a machine share. What is about to be called is written down where it outlives this process.
import { createHmac, randomBytes } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import redis from '@respite/redis'
import session from '@respite/session'
import Fastify from 'fastify'
import { Redis } from 'ioredis'
import { serve } from '../serve.mjs'
import { openDurable } from '../session/durable.mjs'

const { users, fields, trustMs, pollMs, touchMs, rotateMs, graceMs, durableDeadlineMs, seed } = JSON.parse(process.env.BENCH_HISTORY)
const secret = 'a secret of a drill, at least 32 characters long'
const database = new Redis(process.env.BENCH_DATABASE_URL)
const app = Fastify()
await app.register(redis, { url: process.env.BENCH_REDIS_URL })
await app.register(session, {
  secrets: [secret],
  durable: openDurable(),
  pollEvery: `${pollMs}ms`,
  trust: `${trustMs}ms`,
  // Closes the one window in which a process that the durable store does not answer may be wrong for longer.
  durableDown: `${trustMs}ms`,
  durableDeadline: `${durableDeadlineMs}ms`,
  touchEvery: `${touchMs}ms`,
  rotateEvery: `${rotateMs}ms`,
  grace: `${graceMs}ms`
})

const nowMs = () => Number(process.hrtime.bigint()) / 1e6
let state = seed >>> 0
const below = n => {
  state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
  return Math.floor(state / 2 ** 32 * n)
}

/** The requests since they were last taken. */
let events = []
/** Requests by cookie among those that were taken last. */
let handedOver = []
/** No other save of any process has this value. */
const newValue = () => randomBytes(6).readUIntBE(0, 6)
const fieldsOf = request => Object.fromEntries(fields.map(name => [name, request.session.get(name)]))
const seenBy = request => ({ user: request.session.userId, sid: request.session.id, fields: fieldsOf(request) })

app.post('/login', async (request, reply) => await reply.login(request.body.user, { data: request.body.data, transport: request.body.transport }))
app.get('/read', { config: { session: 'required' } }, async request => seenBy(request))
app.get('/fresh', { config: { session: { fresh: '1h' } } }, async request => seenBy(request))
app.post('/save', { config: { session: 'required' } }, async request => {
  request.session.set(request.body.field, request.body.value)
  return { user: request.session.userId, sid: request.session.id }
})
app.post('/logout', async (request, reply) => {
  const sid = request.session.id
  await reply.logout()
  return { sid }
})

let calls = 0
/** Writes down that something is called, calls it, and writes down what came of it; a call that fails has an outcome that nobody knows. */
async function called (what, call) {
  const op = `${process.pid} ${++calls}`
  await database.rpush('calls', JSON.stringify({ op, ...what, calledAt: nowMs() }))
  const outcome = await call()
  if (outcome !== undefined) await database.rpush('outcomes', JSON.stringify({ op, ...outcome, resolvedAt: nowMs() }))
}

const cookieName = '__Host-sid'
const headersOf = ({ token, via }) => token === undefined ? {} : via === 'cookie' ? { cookie: `${cookieName}=${token}` } : { authorization: `Bearer ${token}` }

/** The token that an answer sets as a cookie. */
function cookieOf ({ headers }, what) {
  const cookie = headers['set-cookie']
  if (cookie === undefined) return undefined
  if (headers['cache-control'] !== 'no-store') events.push({ kind: 'wrong', what: `${what}: a cookie that may be stored` })
  return String(cookie).slice(cookieName.length + 1).split(';')[0]
}

for (const what of ['reuse', 'revoked']) app.sessions.on(what, ({ id }) => { events.push({ kind: 'told', what, sid: id, at: nowMs() }) })

/** Writes down that a request by cookie is begun: if this process dies, nobody knows whether it has brought a new secret. */
async function begun (sid) {
  const op = `${process.pid} ${++calls}`
  await database.hset('begun', op, JSON.stringify({ op, sid, calledAt: nowMs() }))
  return op
}

/** From now on everybody shows the new secret; the old one is kept for those who come late. */
async function rotated (user, old, token, times) {
  const { shown, generation } = old
  const [tokens, late, text] = [`tokens:${user}`, `late:${user}`, JSON.stringify(old)]
  await database.multi()
    .rpush('rotations', JSON.stringify({ sid: shown, from: generation, ...times }))
    .lrem(tokens, 0, text).lpush(tokens, JSON.stringify({ ...old, token, generation: generation + 1 })).ltrim(tokens, 0, 7)
    .lpush(late, text).ltrim(late, 0, 3)
    .exec()
}

async function ask (user, { shown, token, via, generation, path = '/read', method = 'GET', payload }) {
  const cookie = via === 'cookie' && typeof shown === 'string' ? { op: await begun(shown), generation } : undefined
  const beganAt = nowMs()
  const response = await app.inject({ method, url: path, headers: headersOf({ token, via }), payload })
  const endedAt = nowMs()
  const { statusCode } = response
  const answer = statusCode === 200 ? 'accepted' : statusCode === 401 ? 'refused' : 'failed'
  const body = response.json()
  const { fields: seen, ...as } = body
  events.push({ kind: 'asked', user, shown, beganAt, endedAt, answer, ...cookie, ...answer === 'accepted' && { as, fields: seen } })
  wrong(statusCode, `${method} ${path}: ${statusCode} ${body.code} ${body.message}`)
  const renewed = cookieOf(response, path)
  if (renewed !== undefined) await rotated(user, { shown, token, via, generation }, renewed, { beganAt, endedAt })
  return answer
}

/** 503 is what an overloaded machine may answer. */
function wrong (statusCode, what) {
  if (![200, 401, 503].includes(statusCode)) events.push({ kind: 'wrong', what })
}

const steps = {
  async read (user, known) {
    const answer = await ask(user, { ...known, path: below(20) === 0 ? '/fresh' : '/read' })
    // Who is refused logs in again; not everybody at once.
    if (answer === 'refused' && below(8) === 0) await steps.login(user)
  },
  async save (user, known) {
    const [field, value] = [fields[below(fields.length)], newValue()]
    await called({ kind: 'save', sid: known.shown, field, value }, async () => {
      const answer = await ask(user, { ...known, path: '/save', method: 'POST', payload: { field, value } })
      return answer === 'failed' ? undefined : { refused: answer === 'refused' }
    })
  },
  async login (user) {
    const [field, value, via] = [fields[below(fields.length)], newValue(), below(2) === 0 ? 'bearer' : 'cookie']
    let made
    await called({ kind: 'login', user, field, value }, async () => {
      const response = await app.inject({ method: 'POST', url: '/login', payload: { user, data: { [field]: value }, transport: via } })
      wrong(response.statusCode, `login: ${response.body}`)
      if (response.statusCode !== 200) return undefined
      made = { token: cookieOf(response, '/login'), ...response.json() }
      return { sid: made.id }
    })
    if (made === undefined) return
    await database.multi().lpush(`tokens:${user}`, JSON.stringify({ shown: made.id, token: made.token, via, generation: 0 })).ltrim(`tokens:${user}`, 0, 7).exec()
  },
  async logout (user, known) {
    await called({ kind: 'ending', user, sid: known.shown }, async () => {
      const response = await app.inject({ method: 'POST', url: '/logout', headers: headersOf(known) })
      wrong(response.statusCode, `logout: ${response.body}`)
      // Who was refused already has logged nobody out.
      return response.json().sid === undefined ? undefined : {}
    })
  },
  revoke: (user, { shown }) => called({ kind: 'ending', user, sid: shown }, () => ended(app.sessions.revoke(below(2) === 0 ? { id: shown } : { id: shown, userId: user }))),
  revokeOthers: (user, { shown }) => called({ kind: 'ending', user, except: shown }, () => ended(app.sessions.revoke({ userId: user, except: shown }))),
  revokeAll: user => called({ kind: 'ending', user }, () => ended(app.sessions.revokeAll(user))),
  /** A secret that was superseded a moment ago, or longer. */
  async late (user) {
    const late = await database.lindex(`late:${user}`, below(2))
    if (late !== null) await ask(user, JSON.parse(late))
  },
  async list (user) {
    const beganAt = nowMs()
    const sids = (await app.sessions.list(user)).map(({ id }) => id)
    events.push({ kind: 'listed', user, beganAt, sids })
  },
  async forged (user, { token, via }) {
    await ask(user, { shown: { bad: 'forged' }, via, token: token.slice(0, -6) + (token.at(-6) === 'A' ? 'B' : 'A') + token.slice(-5) })
  },
  /** Signed as ours, under a tag that exists, and in no store. */
  async neverIssued (user, { token, via }) {
    const signed = `${token.slice(0, 22)}.${randomBytes(32).toString('base64url')}`
    const key = createHmac('sha256', secret).update('respite session v1').digest()
    await ask(user, { shown: { bad: 'neverIssued' }, via, token: `${signed}.${createHmac('sha256', key).update(signed).digest('base64url')}` })
  },
  none: user => ask(user, { shown: { bad: 'none' } })
}
const often = { read: 240, save: 24, login: 1, logout: 1, revoke: 1, revokeOthers: 1, revokeAll: 1, late: 2, list: 3, forged: 2, neverIssued: 2, none: 1 }
const names = Object.keys(steps).flatMap(name => Array.from({ length: often[name] }, () => name))

/** A revoke that failed is like any call that failed. */
async function ended (revoking) {
  try {
    return { ended: (await revoking).ended }
  } catch (error) {
    wrong(error.statusCode, `revoke: ${error.message}`)
    return undefined
  }
}

const over = new AbortController()
const working = []
async function work () {
  while (!over.signal.aborted) {
    const user = `user-${Math.min(below(users), below(users))}`
    const at = below(3) === 0 ? below(4) : 0
    const known = await database.lindex(`tokens:${user}`, at)
    const name = known === null ? 'login' : names[below(names.length)]
    try {
      await steps[name](user, known === null ? undefined : JSON.parse(known))
    } catch (error) {
      wrong(error.statusCode, `${name}: ${error.stack}`)
    }
    await pause(below(10))
  }
}

/** Everybody's tokens, shown once more. */
async function askAll () {
  for (let i = 0; i < users; i++) {
    const user = `user-${i}`
    for (const known of await database.lrange(`tokens:${user}`, 0, -1)) await ask(user, JSON.parse(known))
    await steps.list(user)
  }
}

app.addHook('preClose', async () => over.abort())
app.addHook('onClose', () => database.disconnect())
await serve(app, {
  begin: () => { for (let i = 0; i < 10; i++) working.push(work()) },
  rest: async () => {
    over.abort()
    await Promise.all(working)
  },
  linkState: () => app.respite.link.state,
  askAll,
  take: () => {
    // Asked again, it has what it was given before.
    if (handedOver.length > 0) database.hdel('begun', ...handedOver).catch(() => undefined)
    const taken = events
    handedOver = taken.flatMap(({ op }) => op ?? [])
    events = []
    return taken
  }
})
