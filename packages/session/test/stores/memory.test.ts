import t from 'tap'
import { ownerOfUser } from '../../src/owner.ts'
import { MemoryStore } from '../../src/stores/memory.ts'
import { handClock, sessionStoreContract } from '../contracts/session-store.ts'

sessionStoreContract(t, async () => {
  const clock = handClock()
  const store = new MemoryStore()
  await store.open({ migrate: true, clock })
  return { store, pass: clock.pass, pending: false }
})

t.test('beyond its bound the longest unused session ends', async t => {
  const store = new MemoryStore(2)
  await store.open({ migrate: true, clock: handClock() })
  const login = (user: string) => store.login({
    owner: ownerOfUser(user), tag: user, hash: user, sid: user, fields: new Map(), idleMs: 1_000, absoluteMs: 1_000, max: 1, onExceed: 'replace', replaces: undefined
  })
  await login('a')
  await login('b')
  await store.touch('a', 1_000)
  await login('c')
  t.match(await store.find('a'), { sid: 'a' })
  t.same(await store.find('b'), { reuse: undefined })
  t.equal(await store.count(), 2)
})
