import t from 'tap'
import { openEntries } from '../../src/entries/entries.ts'
import { databases } from '../contracts/databases.ts'

for (const [name, open] of Object.entries(databases)) {
  t.test(`entries on ${name}`, async t => {
    const opened = await open(t.testdir())
    if (opened === undefined) return t.pass('there is no server')
    const { database, stop } = opened
    t.teardown(stop)
    let time = 0
    const entries = await openEntries(database, () => new Date(++time * 1000).toISOString())

    t.test('keeps what is written, with the times', async t => {
      const entry = await entries.create({ title: 'one', content: "it's ünïcode 😀" })
      t.same(entry, { id: 1, title: 'one', content: "it's ünïcode 😀", createdAt: '1970-01-01T00:00:01.000Z', updatedAt: '1970-01-01T00:00:01.000Z' })
      t.same(await entries.get(1), entry)
    })

    t.test('changes an entry, and says so when there is none', async t => {
      t.match(await entries.update(1, { title: 'two', content: '' }), { id: 1, title: 'two', content: '', createdAt: '1970-01-01T00:00:01.000Z', updatedAt: '1970-01-01T00:00:02.000Z' })
      t.equal(await entries.update(99, { title: 'x', content: '' }), undefined)
      t.equal(await entries.get(99), undefined)
    })

    t.test('lists page by page, the newest first', async t => {
      for (const title of ['b', 'c', 'd']) await entries.create({ title, content: '' })
      const titles = async (page: number) => (await entries.list(page, 3)).entries.map(entry => entry.title)
      t.same(await titles(1), ['d', 'c', 'b'])
      t.same(await titles(2), ['two'])
      t.same(await titles(3), [])
      t.match(await entries.list(2, 3), { page: 2, size: 3, total: 4 })
    })

    t.test('deletes once, and gives no id twice', async t => {
      t.equal(await entries.delete(4), true)
      t.equal(await entries.delete(4), false)
      t.equal((await entries.create({ title: 'e', content: '' })).id, 5)
    })
  })
}
