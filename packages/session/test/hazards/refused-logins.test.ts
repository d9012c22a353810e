import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'
import type { FastifyInstance } from 'fastify'
import t from 'tap'
import { until } from '@respite/testing'
import { callsOf, copiesOf, openHouse } from '../redis/house.ts'
import { cookieOf } from '../shop.ts'

const derive = promisify(scrypt) as (password: string, salt: Buffer, length: number) => Promise<Buffer>
/** What each log-in had derived: the cost of a key is in its parameters, and the password's length counts for nothing beside it. */
const derived: object[] = []

async function hashed (password: string): Promise<{ salt: Buffer, hash: Buffer }> {
  const salt = randomBytes(16)
  return { salt, hash: await derive(password, salt, 32) }
}

const users = new Map([['ada', await hashed('correct horse')], ['bob', await hashed('battery staple')]])
const nobody = await hashed(randomBytes(16).toString('hex'))

/** The route that the guide shows under "Logging in". */
function addEntry (app: FastifyInstance): void {
  app.post<{ Body: { name: string, password: string } }>('/enter', async (request, reply) => {
    const { name, password } = request.body
    const known = users.get(name)
    const { salt, hash } = known ?? nobody
    derived.push({ saltBytes: salt.length, hashBytes: hash.length })
    const same = timingSafeEqual(await derive(password, salt, hash.length), hash)
    if (!same || known === undefined) return await reply.code(401).send({ error: 'Username or password was wrong!' })
    await reply.login(name)
    return {}
  })
}

const unknown = { name: 'eve', password: 'correct horse' }
const wrong = { name: 'ada', password: 'correct horsE' }

t.test('T9: a log-in under an unknown name and one with a wrong password look the same and cost the same, and no session notices them', async t => {
  const house = await openHouse(t)
  const app = await house.app({}, { routes: addEntry })
  const enter = async (payload: object, cookie?: string) => {
    const { statusCode, headers: { date, ...headers }, body } = await app.inject({ method: 'POST', url: '/enter', payload, headers: cookie === undefined ? {} : { cookie } })
    return { statusCode, headers, body }
  }
  // Polls come by themselves.
  const asked = () => [...app.watched.calls].filter(([method]) => method !== 'pending')
  const ada = cookieOf(await enter({ name: 'ada', password: 'correct horse' }))
  const visitor = cookieOf(await app.inject({ method: 'POST', url: '/cart', payload: ['tea'] }))
  const bob = cookieOf(await enter({ name: 'bob', password: 'battery staple' }))
  const seen = async (cookie: string) => (await app.inject({ url: '/open', headers: { cookie } })).json()
  for (const cookie of [ada, visitor, bob]) await seen(cookie)
  await until('the copies', async () => (await copiesOf(house.client)).size === 3)
  for (const cookie of [undefined, visitor, bob]) {
    const costs: object[] = []
    const answers: object[] = []
    for (const payload of [wrong, unknown, { ...wrong, password: '' }, { ...unknown, name: '' }]) {
      const before = { derived: derived.length, scripts: await callsOf(house.client, 'evalsha'), calls: asked() }
      answers.push(await enter(payload, cookie))
      costs.push({ derived: derived.slice(before.derived), scripts: await callsOf(house.client, 'evalsha') - before.scripts })
      t.strictSame(asked(), before.calls, 'the durable store is asked nothing')
    }
    t.match(answers[0], { statusCode: 401, headers: { 'set-cookie': undefined } })
    for (const answer of answers) t.strictSame(answer, answers[0])
    for (const cost of costs) t.strictSame(cost, { derived: [{ saltBytes: 16, hashBytes: 32 }], scripts: cookie === undefined ? 0 : 1 })
  }
  t.strictSame(await seen(visitor), { user: null, cart: ['tea'] })
  for (const [user, cookie] of [['ada', ada], ['bob', bob]] as const) t.equal((await seen(cookie)).user, user, 'who is logged in stays so')
})
