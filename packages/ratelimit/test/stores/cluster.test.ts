import { openCluster, until } from '@respite/testing'
import t from 'tap'
import { blockContract } from '../contracts/blocks.ts'
import { leaseContract } from '../contracts/leases.ts'
import { slotContract } from '../contracts/slots.ts'
import { banContract } from '../contracts/bans.ts'
import { storeContract } from '../contracts/store.ts'
import { connected, storesOver } from '../linked.ts'
import { check, peek, rule, take, unitsFree } from '../rules.ts'

const { open } = await openCluster(t)
const app = await connected({ client: open() })
const other = await connected({ client: open() })
t.teardown(() => Promise.all([app.close(), other.close()]))
const fresh = storesOver(() => app.respite.link, () => other.respite.link)

storeContract(t, fresh)
banContract(t, fresh)
slotContract(t, fresh)
blockContract(t, fresh)
leaseContract(t, fresh)

t.test('hazard 12: limits of subjects in different slots are charged together or not at all', async t => {
  const { store } = fresh()
  const many = Array.from({ length: 8 }, (_, i) => check(rule('sliding-log', 3), `subject ${i}`))
  const tight = check(rule('fixed-window', 1), 'another')
  t.match(await take(store, ...many, tight), { allowed: true })
  const { allowed, outcomes } = await take(store, ...many, tight)
  t.equal(allowed, false)
  t.same(outcomes.map(({ waitMs }) => waitMs > 0), [...many.map(() => false), true])
  t.same(outcomes.map(({ remaining }) => remaining), [...many.map(() => 2), 0])
  await until('what the others have charged to be given back', async () => (await peek(store, ...many)).outcomes.every(({ remaining }) => remaining === 2))
})

t.test('of many requests at once over slots exactly the limit is admitted, and nothing else is charged in the end', async t => {
  const { store } = fresh()
  const wide = check(rule('sliding-counter', 100), 'wide')
  const tight = check(rule('sliding-log', 5), 'tight')
  const verdicts = await Promise.all(Array.from({ length: 50 }, () => take(store, wide, tight)))
  t.equal(verdicts.filter(({ allowed }) => allowed).length, 5)
  await until('the refunds', async () => await unitsFree(store, wide) === 95)
  t.equal(await unitsFree(store, tight), 0)
})
