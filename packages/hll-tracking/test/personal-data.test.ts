import t from 'tap'
import { MemoryStore } from '../src/stores/memory.ts'
import { assemble, fakeClock, storeParts } from './assemble.ts'

t.test('an erasure goes on past metrics that do not answer, and ends where ten in a row do not', async t => {
  const parts = storeParts(fakeClock())
  const store = new MemoryStore(parts)
  const { tracking } = assemble(store, parts)
  for (let i = 10; i < 60; i++) tracking.observe(`metric ${i}`, 'alice')
  await tracking.flush()
  const { erase } = store
  const asked: string[] = []
  let answers = (i: number) => i % 3 === 0
  store.erase = async (metric, ...rest) => {
    asked.push(metric)
    if (answers(asked.length)) return await erase.call(store, metric, ...rest)
    throw Object.assign(new Error(`no answer of ${metric}`), { outcome: 'unknown' })
  }
  await t.rejects(tracking.erase('alice'), { message: 'no answer of metric 10' })
  t.equal(asked.length, 50)
  t.equal((await tracking.export('alice')).length, 34)
  asked.length = 0
  answers = () => false
  await t.rejects(tracking.erase('alice'), { message: 'no answer of metric 10' })
  t.equal(asked.length, 10)
})
