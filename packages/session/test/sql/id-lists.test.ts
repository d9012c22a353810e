import t from 'tap'
import { idLists } from '../../src/sql/id-lists.ts'

t.test('holds every id, in lists of a power of two that a statement can take', async t => {
  const seen = new Set<number>()
  for (let n = 0; n <= 300; n++) {
    const ids = Array.from({ length: n }, (_, i) => `id${i}`)
    const lists = idLists(ids)
    t.same([...new Set(lists.flat())], ids)
    for (const list of lists) seen.add(list.length)
  }
  t.same([...seen].sort((a, b) => a - b), [1, 2, 4, 8, 16, 32, 64, 128])
})
