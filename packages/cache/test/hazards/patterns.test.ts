import t from 'tap'
import { gate, openCluster, seeded, until } from '@respite/testing'
import { appOver } from './app-over.ts'

const { open } = await openCluster(t)

const [here, there] = [await appOver(t, { client: open() }), await appOver(t, { client: open() })]

for (const [way, end] of [['deletePattern', () => here.cache.namespace('race').deletePattern('*')], ['clear', () => here.cache.namespace('race').clear()]] as const) {
  t.test(`R11: nothing loaded before ${way} began is readable after it resolved, with writers racing it on three masters`, async t => {
    const chance = seeded(t)
    for (let round = 0; round < 5; round++) {
      const a = here.cache.namespace('race')
      const b = there.cache.namespace('race')
      let database = 'old'
      const keys = Array.from({ length: 120 }, (_, i) => i === 0 ? '*' : `row:${i}*`)
      const hold = gate()
      const fills = keys.map(async (key, i) => {
        const load = async () => {
          const row = database
          await hold.pass()
          for (let ticks = chance.below(40); ticks > 0; ticks--) await new Promise(resolve => setImmediate(resolve))
          return row
        }
        if (i % 3 === 0) await b.set(key, database)
        else await (i % 3 === 1 ? a : b).getOrSet(key, load)
      })
      await hold.reached
      database = 'new'
      const ending = end()
      hold.open()
      t.match(await ending, { queued: 0 })
      await Promise.all(fills)
      await until('the pushes have come', async () => (await Promise.all(keys.map(key => b.get(key)))).every(value => value !== 'old'))
      const values = await Promise.all(keys.flatMap(key => [a.get(key), b.getOrSet(key, () => database)]))
      t.equal(values.filter(value => value === 'old').length, 0, `round ${round}`)
      await a.clear()
    }
  })
}

t.test('R11: keys and patterns with what Redis takes for globs: only the star is one, in the pattern, and a key named * is a key', async t => {
  const a = here.cache.namespace('globs')
  const b = there.cache.namespace('globs')
  const keys = ['*', '**', 'a*c', 'abc', '[ab]', 'a', '?', 'x?y', 'xzy', '\\*', 'a\\', '{a}', '{b}:1', '}', ':', '%2A', 'a:b', 'A*C', '', ' ', '\u0000', 'é*']
  const left = async (pattern: string) => {
    await a.setMany(keys.map(key => [key, key]))
    const { dropped } = await a.deletePattern(pattern)
    const gone = []
    for (const key of keys) if ((await b.getWithTtl(key))?.value !== key) gone.push(key)
    t.equal(dropped, gone.length, pattern)
    return gone.sort()
  }
  const cases: [string, string[]][] = [
    ['abc', ['abc']], ['[ab]', ['[ab]']], ['?', ['?']], ['x?y', ['x?y']], ['\\*', ['\\*']], ['{*}', ['{a}']], ['{*', ['{a}', '{b}:1']], ['%2A', ['%2A']], ['[*', ['[ab]']],
    ['', ['']], ['é*', ['é*']], ['a*c', ['a*c', 'abc']], ['A*', ['A*C']], ['*:*', [':', 'a:b', '{b}:1']], ['\u0000*', ['\u0000']], ['*', keys]
  ]
  for (const [pattern, gone] of cases) t.strictSame(await left(pattern), [...gone].sort(), `'${pattern}'`)
  await a.setMany(keys.map(key => [key, key]))
  t.match(await a.delete('*'), { dropped: 1 })
  t.equal((await b.getWithTtl('**'))?.value, '**', 'a key named * is dropped alone')
})

t.test('R11: the keys of every master are visited, and those of another namespace or app left alone', async t => {
  const a = here.cache.namespace('masters')
  const others = [here.cache.namespace('masters2'), here.cache.namespace('master'), here.cache]
  const keys = Array.from({ length: 300 }, (_, i) => `row:${i}`)
  for (const cache of [a, ...others]) await cache.setMany(keys.map(key => [key, 1]))
  t.match(await a.deletePattern('row:*'), { dropped: keys.length, queued: 0 })
  t.equal((await a.getMany(keys)).filter(value => value !== undefined).length, 0)
  for (const cache of others) t.equal((await cache.getMany(keys)).filter(value => value === 1).length, keys.length, cache.name)
})
