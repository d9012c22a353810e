import t from 'tap'
import { entityOf } from '../src/definition.ts'
import { assemble } from './assemble.ts'

t.test('a wrong definition is refused with its path and value', async t => {
  for (const [definition, message] of [
    [{ keys: ['a', 7] }, /'user'.*'keys\[1\]' is 7/], [{ lists: ['a', 'b', ''] }, /'lists\[2\]' is ''/], [{ tags: [null] }, /'tags\[0\]' is null/],
    [{ strategy: 'never' }, /'strategy' is 'never'/], [{ versioned: 'id' }, /'versioned' is 'id'/], [{ list: [] }, /'list' is \[\]/], [{ keys: {} }, /'keys' is {}/],
    ['user', /'definition' is 'user'/], [null, /'definition' is null/]
  ] as const) t.throws(() => entityOf('user', definition as never), { code: 'FST_RSP_INVALIDATOR_DEFINITION_INVALID', message })
  t.throws(() => entityOf('', {}), { message: /'name' is ''/ })
  t.throws(() => entityOf(7 as never, {}), { message: /'name' is 7/ })
})

t.test('a fixed target that the cache could never drop fails at boot, with its path and why', async t => {
  for (const [definition, message] of [
    [{ tags: ['a', 'x'.repeat(10_240)] }, /'user'.*'tags\[1\]' is 'xxx.*1 to 1024 characters/s], [{ lists: ['*a'.repeat(9)] }, /'lists\[0\]' is '\*a.*at most 8/]
  ] as const) {
    const app = await assemble()
    t.teardown(() => app.close())
    app.invalidator.define('user', definition)
    await t.rejects(async () => { await app.ready() }, { code: 'FST_RSP_INVALIDATOR_DEFINITION_INVALID', message })
    const late = await assemble()
    t.teardown(() => late.close())
    await late.ready()
    t.throws(() => late.invalidator.define('user', definition), { code: 'FST_RSP_INVALIDATOR_DEFINITION_INVALID', message })
  }
})

t.test('what a definition\'s function gives is checked at each change, with its path and value', async t => {
  for (const [keys, message] of [
    [() => ['a', undefined], /keys\[1\] is undefined/], [() => 'a', /keys is 'a'/], [async () => ['a'], /keys is Promise/]
  ] as const) t.throws(() => entityOf('user', { keys: keys as never }).targets([{}]), { code: 'FST_RSP_INVALIDATOR_TARGETS_INVALID', message })
})

t.test('both states count, each text once; states that are not known are no states', async t => {
  const entity = entityOf('user', { keys: u => [`user:${(u as { id: number }).id}`], tags: ['users'], versioned: true })
  t.strictSame(entity.targets([{ id: 1 }, { id: 1 }, { id: 2 }]), { keys: ['user:1', 'user:2', 'version:user:1', 'version:user:2'], patterns: [], tags: ['users'] })
  t.strictSame(entity.targets([]), { keys: [], patterns: [], tags: ['users'] })
})

t.test('the number of definitions is bounded', async t => {
  const app = await assemble()
  t.teardown(() => app.close())
  for (let i = 0; i < 1_000; i++) app.invalidator.define(`e${i}`, {})
  t.throws(() => app.invalidator.define('more', {}), { code: 'FST_RSP_INVALIDATOR_DEFINITIONS_TOO_MANY', message: /'more'.*1000/ })
})
