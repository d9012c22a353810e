import t from 'tap'
import { SharedReads } from '../src/shared-reads.ts'
import type { DeadSession, LiveSession } from '../src/stores/store.ts'

const live = { sid: 'sid', hash: 'h' } as LiveSession
const dead: DeadSession = { reuse: undefined }

/** Reads whose answers the test gives. */
function reads () {
  const sent: { resolve (found: LiveSession | DeadSession): void, reject (error: Error): void }[] = []
  const shared = new SharedReads(() => new Promise((resolve, reject) => { sent.push({ resolve, reject }) }), () => sent.length)
  const ask = (lease?: string) => new Promise<unknown>(resolve => {
    shared.ask({ hash: 'h', tag: 't' }, lease === undefined ? undefined : { n: lease, g: '0' }, (error, answer) => resolve(error?.message ?? [('sid' in answer!.found), answer!.lease?.n, answer!.sentMs]))
  })
  return { sent, ask }
}

t.test('a read is not shared by who comes after it was sent; those share the next', async t => {
  const { sent, ask } = reads()
  const first = ask('n1')
  const later = [ask('n2'), ask(), ask('n3')]
  t.equal(sent.length, 1)
  sent[0]!.resolve(live)
  t.same(await first, [true, 'n1', 0])
  t.equal(sent.length, 2)
  sent[1]!.resolve(live)
  t.same(await Promise.all(later), [[true, 'n3', 1], [true, undefined, 1], [true, undefined, 1]], 'one of them fills')
})

t.test('a negative answer holds for anyone, and so does a failure', async t => {
  const { sent, ask } = reads()
  const all = [ask(), ask(), ask()]
  sent[0]!.resolve(dead)
  t.same((await Promise.all(all)).map(answer => (answer as unknown[])[0]), [false, false, false])
  const failing = [ask(), ask()]
  sent[1]!.reject(new TypeError('gone'))
  t.same(await Promise.all(failing), ['gone', 'gone'])
  t.equal(sent.length, 2)
})
