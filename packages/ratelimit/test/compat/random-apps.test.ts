import { type Seeded, seeded } from '@respite/testing'
import t from 'tap'
import { type Made, our, run, type Step, theirs } from './both.ts'

type Chance = Pick<Seeded, 'below'>

const served = async () => 'served'
const addresses = ['192.0.2.1', '192.0.2.2', '2001:db8::1', '2001:db8::2', '2001:db8:0:1::1', '::ffff:192.0.2.1']
const urls = ['/', '/own', '/other', '/many', '/off', '/child/in', '/child/own', '/by-hand', '/unknown']

/** Options that both take alike. Of `exponentialBackoff`, and of a full memory, ours is another answer, with a test of its own. */
function someOptions ({ below }: Chance, note: Made['note'], where: string): Record<string, unknown> {
  const one = <Value>(...values: Value[]) => values[below(values.length)]
  const told = (name: string) => (_: unknown, key: string) => note(`${where} ${name} ${key}`)
  const all: Record<string, unknown> = {
    max: one<unknown>(0, 1, 2, 3, 2.7, (_: unknown, key: string) => String(key).length % 3, async () => 2),
    timeWindow: one<unknown>(1, 500, 1_000, '2s', '1 minute', '0.5 s', () => 700, async (_: unknown, key: string) => String(key).length * 100),
    ban: one(-1, 0, 1, 2),
    continueExceeding: one(true, false),
    hook: one('onRequest', 'preParsing', 'preValidation', 'preHandler'),
    allowList: one<unknown>(['192.0.2.2'], [], (_: unknown, key: string) => key === '192.0.2.1', async (request: { headers: object }) => 'x-allowed' in request.headers),
    keyGenerator: one<unknown>((request: { headers: Record<string, string> }) => request.headers['x-key'] ?? 'none', () => 7, async (request: { ip: string }) => request.ip),
    ipv6Subnet: one(32, 64, 128),
    skipOnError: one(true, false),
    errorResponseBuilder: one<unknown>((_: unknown, context: object) => ({ ...context, own: where }), (_: unknown, { statusCode }: { statusCode: number }) => Object.assign(new Error('own'), { statusCode })),
    addHeaders: one({ 'retry-after': false }, { 'x-ratelimit-limit': false, 'x-ratelimit-reset': true }, {}),
    addHeadersOnExceeding: one({ 'x-ratelimit-remaining': false }, {}),
    onExceeding: told('passes'),
    onExceeded: told('exceeds'),
    onBanReach: told('banned')
  }
  return Object.fromEntries(Object.entries(all).filter(() => below(3) === 0))
}

const build = (chance: Chance) => async ({ app, module, note }: Made) => {
  const of = (where: string) => someOptions(chance, note, where)
  const withoutHook = ({ hook: _, ...options }: Record<string, unknown>) => options
  await app.register(module.rateLimit, { ...of('app'), ...(chance.below(4) === 0 && { global: false }), ...(chance.below(4) === 0 && { enableDraftSpec: true }) })
  const config = (where: string) => ({ config: { rateLimit: of(where) } }) as object
  app.get('/', served)
  app.get('/own', config('own'), served)
  app.route({ method: ['GET', 'POST'], url: '/many', ...config('many'), handler: served })
  app.get('/other', { ...config('other'), onRequest: async () => { note('own hook') } }, served)
  app.get('/off', { config: { rateLimit: false } } as object, served)
  app.setNotFoundHandler({ preHandler: (app as any).rateLimit(chance.below(2) === 0 ? undefined : withoutHook(of('unknown'))) }, (_, reply) => { reply.code(404).send('unknown') })
  const check = (app as any).createRateLimit(chance.below(2) === 0 ? undefined : { max: 2, timeWindow: 900 })
  app.get('/by-hand', { config: { rateLimit: false } } as object, async request => await check(request, { increment: 'x-key' in request.headers }))
  const nested = chance.below(2) === 0 ? of('child') : undefined
  app.register(async child => {
    if (nested !== undefined) await child.register(module.rateLimit, nested)
    child.get('/in', served)
    child.get('/own', config('in child'), served)
  }, { prefix: '/child' })
}

function someSteps ({ below }: Chance): Step[] {
  const few = urls.filter(() => below(3) === 0)
  const any = <Value>(values: readonly Value[]) => values[below(values.length)]!
  return Array.from({ length: 40 }, () => below(5) === 0
    ? [1, 99, 400, 1_000, 2_500, 60_000][below(6)]!
    : {
        url: any(few.length === 0 ? urls : few),
        method: any(['GET', 'GET', 'GET', 'HEAD', 'POST'] as const),
        remoteAddress: any(addresses.slice(0, 1 + below(addresses.length))),
        headers: { ...(below(3) === 0 && { 'x-key': 'k' }), ...(below(9) === 0 && { 'x-allowed': 'yes' }) }
      })
}

/** The same chance, as often as it is asked for. */
function replayed (words: readonly number[]): Chance {
  let at = 0
  return { below: n => Math.floor(words[at++ % words.length]! / 2 ** 32 * n) }
}

// ROUNDS=2000 for more of them.
t.test('apps with whatever options answer as with @fastify/rate-limit, whatever is asked of them', async t => {
  const chance = seeded(t)
  const seen = new Set<number>()
  for (let round = 0; round < Number(process.env.ROUNDS ?? 40); round++) {
    const words = Array.from({ length: 400 }, () => chance.word())
    const steps = someSteps(chance)
    const [expected, found] = [await run(theirs, { build: build(replayed(words)), steps }), await run(our, { build: build(replayed(words)), steps })]
    for (const { status } of expected.answers) seen.add(status)
    const requests = steps.filter(step => typeof step !== 'number')
    const wrong = expected.answers.findIndex((answer, i) => JSON.stringify(answer) !== JSON.stringify(found.answers[i]))
    if (wrong !== -1) return t.equal(JSON.stringify(found.answers[wrong]), JSON.stringify(expected.answers[wrong]), `round ${round}, request ${wrong}: ${JSON.stringify(requests[wrong])}`)
    if (JSON.stringify(found.notes) !== JSON.stringify(expected.notes)) return t.same(found.notes, expected.notes, `round ${round}`)
  }
  t.ok([200, 403, 404, 429].every(status => seen.has(status)), [...seen].join())
})
