import t, { type Test } from 'tap'
import { heal } from '../src/healer.ts'
import type { PendingRow } from '../src/stores/store.ts'

const row = (tag: string, change: Partial<PendingRow> = {}): PendingRow => ({ tag, hash: `hash of ${tag}`, dead: true, pend: 2, ...change })
const refused = () => Object.assign(new Error('WRONGTYPE'), { outcome: 'refused' })

async function healed (t: Test, rows: readonly PendingRow[], failures: Record<string, Error>) {
  const told: string[] = []
  const confirmed: string[] = []
  const tell = async (tag: string) => {
    told.push(tag)
    if (failures[tag] !== undefined) throw failures[tag]
  }
  await heal({
    store: { confirm: async (dead, live) => { confirmed.push(...dead, ...live.map(one => one.hash)) } },
    copies: { kill: tell },
    flusher: { drop: ({ tag }) => tell(tag) },
    log: { debug () {} } as never,
    deadlineMs: 1_000
  }, rows)
  return { told, confirmed }
}

// Seen: a key of one user that was none of ours kept every other user's ended sessions pending for good.
t.test('what is wrong with one user\'s keys, or a session that is saved all the time, keeps no other from being healed', async t => {
  const busy = Object.assign(new Error('busy'), { code: 'FST_RSP_SESSION_COPY_BUSY' })
  const { confirmed } = await healed(t, [row('a'), row('b', { dead: false }), row('c'), row('d', { dead: false })], { a: refused(), b: busy })
  t.same(confirmed, ['hash of c', 'hash of d'])
})

t.test('a Redis that does not answer is not asked for each of them', async t => {
  const { told } = await healed(t, [row('a'), row('b')], { a: Object.assign(new Error('late'), { outcome: 'unknown' }) })
  t.same(told, ['a'])
})

t.test('a Redis that refuses everything is asked a bounded number of times', async t => {
  const rows = Array.from({ length: 500 }, (_, i) => row(`tag ${i}`))
  const { told, confirmed } = await healed(t, rows, Object.fromEntries(rows.map(({ tag }) => [tag, refused()])))
  t.same([told.length, confirmed], [100, []])
})
