import t from 'tap'
import { walk } from './protocol.ts'
import type { Guard, Op, Scene } from './world.ts'

// The model of the protocol that the scripts in lua/ and the classes Reader and Loader follow: each script one atomic step, each call
// stopped between any two of them for as long as it likes. Bounds are small; what is not walked is not proven. RESPITE_MODEL=large walks further.

const read = (key = 0): Op => ({ read: key })
const drop = (key = 0): Op => ({ drop: key })
const write = (key = 0): Op => ({ write: key })
const bump = (tag = 0): Op => ({ bump: tag })
const by = (process: number, ...ops: Op[]) => ({ process, ops })

const key: Scene = { keys: [[]], tags: 0, calls: [by(0, read(), read()), by(1, drop(), drop()), by(2, read())], luck: { leaseExpiry: 1, eviction: 1 } }
const tag: Scene = { keys: [[0]], tags: 1, calls: [by(0, read(), read()), by(1, bump(), bump()), by(2, read())], luck: { tagLoss: 1 } }
const inFactory: Scene = { keys: [[0]], tags: 1, calls: [by(0, read()), by(1, bump(), read()), by(2, bump())], luck: { clockLoss: 1 }, inFactory: true }
const join: Scene = { keys: [[]], tags: 0, calls: [by(0, read(), read()), by(0, read(), read()), by(1, drop(), drop())], luck: { leaseExpiry: 1 }, join: true }
const joinTag: Scene = { keys: [[0]], tags: 1, calls: [by(0, read()), by(0, read(), read()), by(1, bump())], luck: { tagLoss: 1 }, join: true }
const joinInFactory: Scene = { keys: [[0]], tags: 1, calls: [by(0, read()), by(0, read()), by(1, bump())], luck: {}, join: true, inFactory: true }
const localKey: Scene = { keys: [[]], tags: 0, calls: [by(0, read(), read(), read()), by(1, drop())], luck: { disconnect: 1 }, local: true }
const localOwn: Scene = { keys: [[]], tags: 0, calls: [by(0, read(), read()), by(0, drop(), read())], luck: { disconnect: 1 }, local: true }
const localTag: Scene = { keys: [[0]], tags: 1, calls: [by(0, read(), read(), read()), by(1, bump())], luck: {}, local: true }
const through: Scene = { keys: [[]], tags: 0, calls: [by(0, write()), by(1, write()), by(2, read(), read())], luck: { leaseExpiry: 1 } }
const throughTag: Scene = { keys: [[0]], tags: 1, calls: [by(0, write()), by(1, bump(), read()), by(2, read())], luck: {} }

const further: Record<string, Scene> = {
  'written through, and bumped: a lease that expires, its record lost once': { ...throughTag, luck: { leaseExpiry: 1, tagLoss: 1 } }
}
const scenes: Record<string, Scene> = {
  ...process.env['RESPITE_MODEL'] === 'large' && further,
  'by key: three processes, two invalidations, a lease that expires, an eviction': key,
  'by a declared tag: two bumps, its record lost once': tag,
  'by tag and by key': { ...tag, calls: [by(0, read(), read()), by(1, bump(), drop()), by(2, read())], luck: { eviction: 1 } },
  'two tags, two keys, a lease that expires': { keys: [[0, 1], [1]], tags: 2, calls: [by(0, read(0), read(1)), by(1, bump(1)), by(0, bump(0))], luck: { leaseExpiry: 1 } },
  'by a tag of the factory: two bumpers, the clock lost': inFactory,
  'by a tag of the factory: its record lost': { ...inFactory, calls: [by(0, read()), by(1, bump(), bump(), read())], luck: { tagLoss: 1, leaseExpiry: 1 } },
  'by a tag of the factory that nobody has seen before': { ...inFactory, tagsMinted: false, calls: [by(0, read()), by(1, bump(), read()), by(2, read())], luck: { tagLoss: 1 } },
  'by a tag of the factory of two keys': { ...inFactory, keys: [[0], [0]], calls: [by(0, read(0)), by(1, read(1)), by(2, bump(), read(0))], luck: { tagLoss: 1 } },
  'joined in one process, by key': join,
  'joined in one process, by tag': joinTag,
  'joined in one process, by a tag of the factory': joinInFactory,
  'local copies, by key: another process invalidates, the tracking connection breaks': localKey,
  'local copies, by key: the same process invalidates': localOwn,
  'local copies, by tag: pushes of two nodes in any order': localTag,
  'local copies, by key: two readers in the process': { ...localKey, calls: [by(0, read(), read()), by(0, read()), by(1, drop())], luck: {} },
  'local copies, by tag: the tracking connection breaks': { ...localTag, calls: [by(0, read(), read()), by(1, bump())], luck: { disconnect: 1 } },
  'written through by two processes': through,
  'written through, and dropped': { ...through, calls: [by(0, write(), write()), by(1, drop(), drop()), by(2, read(), read())], luck: { leaseExpiry: 1, eviction: 1 } },
  'written through, and bumped: a lease that expires': { ...throughTag, luck: { leaseExpiry: 1 } },
  'written through, and bumped: its record lost once': { ...throughTag, luck: { tagLoss: 1 } },
  'written through, with local copies': { ...localKey, calls: [by(0, read(), read()), by(1, write())] },
  'local copies, by a tag of the factory': { ...localTag, inFactory: true, calls: [by(0, read(), read()), by(1, bump())] }
}

for (const [name, scene] of Object.entries(scenes)) {
  t.test(`no read is older than what was invalidated before it, ${name}`, async t => {
    const { broken, trace, states, transitions } = walk(scene)
    t.comment(`${states} states, ${transitions} transitions`)
    t.equal(broken, '', trace.join('\n'))
    t.ok(states > 500, `${states} states`)
  })
}

const counterexamples: Record<Guard, Scene> = {
  'fill asks for a lease': key,
  'fill asks for its own lease': key,
  'drop ends the lease': key,
  'a record carries the nonces of before its factory': tag,
  'a missing tag record is a mismatch': tag,
  'versions are nonces': tag,
  'answers of Redis are judged by tags of Redis': { ...localTag, luck: { eviction: 1 } },
  'the clock judges tags of the factory': { ...inFactory, luck: {} },
  'bump ticks first': { ...inFactory, luck: {} },
  'bump keeps the later tick': { ...inFactory, luck: {} },
  'the clock has a generation': { ...inFactory, calls: [by(0, read()), by(1, bump(), bump(), read())], luck: { clockLoss: 1 } },
  'a minted tag asks the clock again': { ...inFactory, luck: { tagLoss: 1 } },
  'joining asks Redis first': join,
  'joining compares nonces': joinTag,
  'a joiner asks again where the factory added tags': joinInFactory,
  'copies are kept under a mark': localKey,
  'a mark carries the generation': localKey,
  'an own invalidation spoils at its reply': localOwn,
  'an own fill is no copy': { ...localKey, calls: [by(0, read(), read()), by(1, drop())], luck: {} },
  'a write fills under its lease': through,
  'a refused write drops': through
}

for (const [guard, scene] of Object.entries(counterexamples)) {
  t.test(`without it an old value is answered: ${guard}`, async t => {
    const { broken, trace } = walk({ ...scene, without: guard as Guard })
    t.comment(trace.join(' | '))
    t.match(broken, /^\([AB]\) call \d/)
  })
}
