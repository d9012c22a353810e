import t from 'tap'
import type { Problem } from '../../src/index.ts'
import { makeApp, served } from '../app.ts'

const none = { name: 'burst', limit: 1, per: '5s' } as const

t.test('who accepts problem+json gets a problem by RFC 9457', async t => {
  const { app } = await makeApp(t, { limits: [none] })
  app.get('/', served)
  await app.inject('/')
  const response = await app.inject({ url: '/', headers: { accept: 'application/problem+json' } })
  t.equal(response.statusCode, 429)
  t.equal(response.headers['content-type'], 'application/problem+json; charset=utf-8')
  t.equal(response.headers['retry-after'], '5')
  t.same(response.json(), {
    type: 'about:blank',
    title: 'Too Many Requests',
    status: 429,
    detail: "Rate limit 'burst' of 1 per 5 s exceeded, retry in 5 s",
    code: 'RATE_LIMITED',
    violated: 'burst',
    violations: [{ name: 'burst', limit: 1, windowMs: 5_000, retryAfter: 5 }],
    retryAfter: 5
  } satisfies Problem)
})

t.test('the form is chosen by what Accept names, and how much it wants it', async t => {
  const { app } = await makeApp(t, { limits: [{ ...none, limit: 0 }] })
  app.get('/', served)
  const cases: [accept: string | undefined, problem: boolean][] = [
    [undefined, false], ['*/*', false], ['application/*', false], ['application/json', false], ['', false], ['text/html, application/problem+xml', false],
    ['application/json, application/problem+json', true], ['Application/Problem+JSON;charset=utf-8', true], ['text/html, application/problem+json;q=0.5, */*;q=0.1', true],
    ['application/problem+json;q=0', false], ['application/problem+json;q=0.5, application/json', false], ['application/problem+json; q=0.8, application/json; q=0.7', true],
    ['application/problem+json;q=x', false], ['application/problem+jsonx', false], [`application/problem+json, ${'x'.repeat(2_000)}`, false]
  ]
  for (const [accept, problem] of cases) {
    const { headers, ...response } = await app.inject({ url: '/', headers: accept === undefined ? {} : { accept } })
    t.equal(headers['content-type'], problem ? 'application/problem+json; charset=utf-8' : 'application/json; charset=utf-8', accept ?? 'no Accept')
    t.ok(response.json())
  }
})

t.test('an errorBuilder makes the body whatever is accepted', async t => {
  const { app } = await makeApp(t, { limits: [{ ...none, limit: 0 }], errorBuilder: () => ({ own: true }) })
  app.get('/', served)
  const response = await app.inject({ url: '/', headers: { accept: 'application/problem+json' } })
  t.equal(response.headers['content-type'], 'application/json; charset=utf-8')
  t.same(response.json(), { own: true })
})
