import t from 'tap'
import { sizeMs } from '../src/buckets.ts'
import { Identities } from '../src/identity.ts'
import { MemoryStore } from '../src/stores/memory.ts'
import { assemble, fakeClock, secret, start, storeParts } from './assemble.ts'

// Seen: the members of all minutes of a window were deciphered, tens of thousands, while nothing else could run.
t.test('of one key, no more members are deciphered than are shown; of several, each one once', async t => {
  const identities = new Identities(secret, 'encrypted', [secret + 1])
  let read = 0
  const { read: decipher } = identities
  identities.read = member => {
    read++
    return decipher.call(identities, member)
  }
  const clock = fakeClock()
  const parts = storeParts(clock)
  const store = new MemoryStore(parts)
  const { tracking } = assemble(store, parts, { identities })
  const old = assemble(store, parts, { origin: 'there', identities: new Identities(secret + 1, 'encrypted') }).tracking
  const observe = async (by: typeof tracking) => {
    for (let ago = 29; ago >= 0; ago--) {
      clock.nowMs = start - ago * sizeMs.minute
      for (let i = 0; i < 20; i++) for (let calls = 0; calls <= i; calls++) by.observe('ping', `user:${i}`)
      await by.flush()
    }
  }
  await observe(tracking)
  const top = () => tracking.top('ping', { k: 2, since: '29m' })
  t.same(await top(), [{ id: 'user:19', count: 600, maxOver: 0 }, { id: 'user:18', count: 570, maxOver: 0 }])
  t.equal(read, 2)
  await observe(old)
  read = 0
  t.same(await top(), [{ id: 'user:19', count: 1_200, maxOver: 0 }, { id: 'user:18', count: 1_140, maxOver: 0 }])
  t.equal(read, 40)
})
