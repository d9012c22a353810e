import t from 'tap'
import { randomToken, systemClock } from '@respite/redis'
import { encodeRecord } from '../../src/record.ts'
import { MemoryStore } from '../../src/stores/memory.ts'
import { storeContract } from '../contracts/store.ts'

storeContract(t, 'memory', () => new MemoryStore(systemClock, { maxItems: 1_000, maxBytes: 1_000_000 }))

t.test('holds no more entries and bytes than it may, the oldest going first', async t => {
  const recordOf = (bytes: number) => encodeRecord({ id: randomToken(), snapshot: { ns: randomToken(), tags: new Map() }, costMs: 0, ttlMs: 0, body: Buffer.alloc(bytes) })
  const entry = (bytes: number) => ({ record: recordOf(bytes), softMs: 60_000, hardMs: 60_000 })
  const few = new MemoryStore(systemClock, { maxItems: 2, maxBytes: 1_000_000 })
  for (const key of ['a', 'b', 'c']) await few.put(key, entry(1))
  const states = await Promise.all(['a', 'b', 'c'].map(async key => (await few.read({ key, tags: [] })).state))
  t.strictSame(states, ['MISS', 'HIT', 'HIT'])
  const small = new MemoryStore(systemClock, { maxItems: 1_000, maxBytes: 3_000 })
  await small.put('big', entry(4_000))
  t.equal((await small.read({ key: 'big', tags: [] })).state, 'MISS', 'what is larger than all is not kept')
  for (const key of ['a', 'b', 'c']) await small.put(key, entry(1_000))
  t.equal((await small.read({ key: 'a', tags: [] })).state, 'MISS')
  t.equal((await small.read({ key: 'c', tags: [] })).state, 'HIT')
})
