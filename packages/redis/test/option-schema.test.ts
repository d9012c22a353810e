import t from 'tap'
import { defineOptions } from '../src/option-schema.ts'

const resolve = defineOptions<Record<string, unknown>, Record<string, any>>('cache', {
  properties: {
    limit: { type: 'integer', minimum: 0, default: 100 },
    mode: { enum: ['a', 'b'], default: 'a' },
    ttl: { duration: true, minimumMs: 1_000, maximumMs: 60_000, default: '5s' },
    grace: { duration: true },
    secret: { type: 'string', minLength: 32, secret: true },
    onError: { instance: 'function' },
    client: { instance: 'object' },
    nested: { type: 'object', additionalProperties: false, default: {}, properties: { depth: { type: 'integer', maximum: 5, default: 3 }, list: { type: 'array', items: { type: 'object', required: ['name'], properties: { name: { type: 'string' } } } } } }
  }
})

t.test('fills in every default and makes durations milliseconds', async t => {
  t.same(resolve(undefined), { limit: 100, mode: 'a', ttl: 5_000, nested: { depth: 3 } })
  t.match(resolve({ ttl: '1m', grace: 20, nested: { depth: 0 } }), { ttl: 60_000, grace: 20, nested: { depth: 0 } })
  t.equal(resolve({ limit: undefined }).limit, 100)
})

t.test('refuses what is wrong by its path, the reason and the value', async t => {
  const cases: [object, RegExp][] = [
    [{ limit: -1 }, /^cache: option 'limit' .*>= 0.* -1$/],
    [{ limit: '5' }, /'limit' must be integer, got '5'/],
    [{ limt: 5 }, /'limt' is unknown, got 5/],
    [{ mode: 'c' }, /'mode' must be one of 'a', 'b', got 'c'/],
    [{ ttl: '5w' }, /'ttl' must be milliseconds or a duration such as '90s', at least 1000 ms, at most 60000 ms, got '5w'/],
    [{ ttl: 999 }, /'ttl' .*at least 1000 ms.* 999$/],
    [{ ttl: '61s' }, /'ttl'/],
    [{ grace: -1 }, /'grace' .*-1$/],
    [{ onError: {} }, /'onError' must be of type function, got {}/],
    [{ client: null }, /'client' must be of type object, got null/],
    [{ nested: { depth: 6 } }, /'nested\.depth' .*<= 5.* 6$/],
    [{ nested: { deep: 1 } }, /'nested\.deep' is unknown/],
    [{ nested: { list: [{ name: 'x' }, {}] } }, /'nested\.list\[1\]\.name' is missing, got nothing/]
  ]
  for (const [given, message] of cases) t.throws(() => resolve(given as never), { code: 'FST_RSP_OPTION_INVALID', message }, JSON.stringify(given))
})

t.test('of an option that takes several kinds, says what is wrong with the kind that was given, or names them all', async t => {
  const either = defineOptions<object, object>('cache', {
    properties: {
      guard: { anyOf: [{ type: 'boolean' }, { type: 'object', additionalProperties: false, properties: { names: { type: 'array', items: { type: 'string', pattern: '^a' } }, most: { type: 'integer' } } }] },
      store: { anyOf: [{ enum: ['none'] }, { instance: 'function' }] }
    }
  })
  const cases: [object, RegExp][] = [
    [{ guard: { names: ['b'] } }, /'guard\.names\[0\]' must match pattern "\^a", got 'b'/],
    [{ guard: { most: 'b' } }, /'guard\.most' must be integer, got 'b'/],
    [{ guard: { name: [] } }, /'guard\.name' is unknown/],
    [{ guard: 7 }, /'guard' must be boolean or object, got 7/],
    [{ store: 'redis' }, /'store' must be 'none' or of type function, got 'redis'/]
  ]
  for (const [given, message] of cases) t.throws(() => either(given), { code: 'FST_RSP_OPTION_INVALID', message }, JSON.stringify(given))
})

t.test('a secret never reaches a message, nor does the value of an option we do not know', async t => {
  const cases: [object, RegExp][] = [
    [{ secret: 'hunter2' }, /a string of 7 characters/],
    [{ secret: ['hunter2'] }, /an array of 1/],
    [{ secret: { is: 'hunter2' } }, /a value of type object/],
    [{ passwrd: 'hunter2' }, /a string of 7 characters/],
    [{ redis: { password: 'hunter2' } }, /an object with password/],
    [{ nested: ['hunter2'] }, /an array of 1/],
    [{ limit: { secret: 'hunter2' } }, /an object with secret/],
    [{ onError: new Map([['hunter2', 'hunter2']]) }, /\[Map\]/]
  ]
  for (const [given, message] of cases) {
    try {
      resolve(given as never)
      t.fail('was taken')
    } catch (error) {
      t.match((error as Error).message, message)
      t.notMatch(JSON.stringify(error, Object.getOwnPropertyNames(error)), /hunter2/)
    }
  }
})

t.test('what is given stays as it was, and what comes out is frozen to its depth', async t => {
  const given = { ttl: '10s', nested: { list: [{ name: 'x' }] } }
  const before = structuredClone(given)
  const options = resolve(given)
  t.same(given, before)
  t.notOk(Object.isFrozen(given.nested))
  for (const part of [options, options.nested, options.nested.list, options.nested.list[0]]) t.ok(Object.isFrozen(part))
})

t.test('clients and functions pass as they are, unfrozen', async t => {
  class Client { open = true }
  const client = new Client()
  const onError = () => undefined
  const options = resolve({ client, onError })
  t.equal(options.client, client)
  t.equal(options.onError, onError)
  client.open = false
  t.equal(options.client.open, false)
})

t.test('a key named __proto__ changes no prototype', async t => {
  t.throws(() => resolve(JSON.parse('{"__proto__":{"limit":7}}')), { code: 'FST_RSP_OPTION_INVALID' })
  t.equal(({} as { limit?: number }).limit, undefined)
})
