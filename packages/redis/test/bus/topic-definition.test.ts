import { runInNewContext } from 'node:vm'
import t from 'tap'
import Fastify from 'fastify'
import { defineTopic, type StandardSchema } from '../../src/bus/topic-definition.ts'
import redis from '../../src/plugin.ts'

t.test('a JSON schema, a Standard Schema and a function say what fits, and never what was there', async t => {
  const json = defineTopic('a', { schema: { type: 'object', properties: { n: { type: 'integer', maximum: 9 } } } })
  t.same(await json.check({ n: 1 }), { value: { n: 1 } })
  t.same(await json.check({ n: 1234 }), { misfit: '/n must be <= 9' })
  t.same(await json.check('sesame'), { misfit: 'the message must be object' })
  const standard: StandardSchema<{ n: number }> = {
    '~standard': {
      version: 1,
      vendor: 'test',
      validate: async value => typeof (value as { n: unknown }).n === 'number' ? { value: value as { n: number } } : { issues: [{ message: 'got sesame', path: ['n', { key: 0 }] }] }
    }
  }
  const typed = defineTopic('b', { schema: standard })
  t.same(await typed.check({ n: 1 }), { value: { n: 1 } })
  t.same(await typed.check({ n: 'sesame' }), { misfit: '/n/0 is not as it should be' })
  const own = defineTopic('c', { validate: (value: unknown): value is number => value === 1 })
  t.same([await own.check(1), await own.check(2)], [{ value: 1 }, { misfit: 'its validate says no' }])
})

// Seen: the promise itself was taken for a yes.
t.test('a validate that takes its time decides all the same', async t => {
  const topic = defineTopic('a', { validate: async value => value === 1 })
  t.same([await topic.check(1), await topic.check(2)], [{ value: 1 }, { misfit: 'its validate says no' }])
})

// Seen: such a promise was taken for the answer. It has no issues, so everything passed, and what was sent was undefined.
t.test('a schema may answer by a promise of another realm or library', async t => {
  const realm = (value: unknown) => runInNewContext('Promise.resolve(value)', { value })
  const library = (value: unknown) => ({ then: (resolve: (value: unknown) => unknown) => { resolve(value) } })
  for (const promised of [realm, library]) {
    const validate = (value: unknown) => promised(value === 1 ? { value } : { issues: [{ message: 'no', path: ['n'] }] })
    const topic = defineTopic('a', { schema: { '~standard': { version: 1, vendor: 'test', validate } } })
    t.same([await topic.check(1), await topic.check(2)], [{ value: 1 }, { misfit: '/n is not as it should be' }])
  }
})

t.test('what is no schema, bound or name is refused where it is defined, by its name and value', async t => {
  const cases: [object, RegExp][] = [
    [{ schema: { type: 'nonsense' } }, /schema.*no JSON schema/],
    [{ schema: 5 }, /schema/],
    [{ schema: { $async: true, type: 'object' } }, /schema.*\$async/],
    [{ schema: {}, validate: () => true }, /validate/],
    [{ validate: 'x' }, /validate.*'x'/],
    [{ durable: { maxLength: 0 } }, /maxLength.* 0/],
    [{ durable: { keep: 0 } }, /durable\.keep.* 0/],
    [{ durable: { keep: '366d' } }, /durable\.keep.* '366d'/],
    [{ durable: { maxLenght: 5 } }, /durable\.maxLenght.* 5/],
    [{ durable: 0 }, /durable.* 0/],
    [{ durable: null }, /durable.* null/],
    [{ durable: 'no' }, /durable.* 'no'/],
    [{ shcema: { type: 'string' } }, /shcema/]
  ]
  for (const [options, message] of cases) t.throws(() => defineTopic('a', options as never), { code: 'FST_RSP_OPTION_INVALID', message })
  t.throws(() => defineTopic('a', { durable: { keep: '1 year' as never } }), { code: 'FST_RSP_DURATION_INVALID', message: /durable\.keep/ })
})

t.test('the bus is fastify.bus, unless something of that name was there first', async t => {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(redis, { embedded: true })
  t.equal(app.bus, app.respite.bus)
  const other = Fastify()
  t.teardown(() => other.close())
  const mine = {}
  other.decorate('bus', mine as never)
  await other.register(redis, { embedded: true })
  t.equal(other.bus, mine)
})
