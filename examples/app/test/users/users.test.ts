import t from 'tap'
import { openUsers } from '../../src/users/users.ts'
import { databases } from '../contracts/databases.ts'

for (const [name, open] of Object.entries(databases)) {
  t.test(`users on ${name}`, async t => {
    const opened = await open(t.testdir())
    if (opened === undefined) return t.pass('there is no server')
    const { database, stop } = opened
    t.teardown(stop)
    const users = await openUsers(database)

    t.test('gives small ids, one after the other, also past a name that was taken', async t => {
      t.equal(await users.create('ada', 'hash a'), 1)
      t.equal(await users.create('ada', 'hash b'), undefined)
      t.equal(await users.create('grace', 'hash g'), 2)
    })

    t.test('finds a user by the exact name', async t => {
      t.same(await users.find('ada'), { id: 1, passwordHash: 'hash a' })
      t.equal(await users.find('Ada'), undefined)
      t.equal(await users.find("' OR 1=1 --"), undefined)
    })

    t.test('gives a name to one of many who ask at once', async t => {
      const ids = await Promise.all(Array.from({ length: 20 }, (_, i) => users.create('wanted', `hash ${i}`)))
      t.equal(ids.filter(id => id !== undefined).length, 1)
    })

    t.test('can be opened again, and by two at once', async t => {
      const [again] = await Promise.all([openUsers(database), openUsers(database)])
      t.match(await again.find('grace'), { id: 2 })
    })
  })
}
