import { defineScript, type Link, type LinkCallback, type RedisArg } from '@respite/redis'
import t from 'tap'
import { BatchedReads } from '../src/batched-reads.ts'

interface Call { readonly keys: readonly RedisArg[], readonly args: readonly RedisArg[], readonly callback: LinkCallback }

/** Reads over a link whose turns end, and whose calls are answered, when the test says so. */
function reads ({ cluster = false } = {}) {
  const calls: Call[] = []
  const ends: (() => void)[] = []
  const link = {
    features: { cluster },
    soon: (work: () => void) => { ends.push(work) },
    call: (_: unknown, keys: Call['keys'], args: Call['args'], callback: LinkCallback) => { calls.push({ keys, args, callback }) }
  } as unknown as Link
  const batched = new BatchedReads<readonly [string, string]>(link, defineScript('test.read', 'return {}'), ['first'])
  const read = (name: string) => new Promise<unknown>(resolve => {
    batched.read({ keys: [`gate:${name}`, `copy:${name}`], args: ['era', name], callback: (error, reply) => resolve(error ?? reply) })
  })
  const endTurn = () => { for (const work of ends.splice(0)) work() }
  return { calls, read, endTurn }
}

t.test('the reads of a turn are one call, answered in their order; those of the next turn another', async t => {
  const { calls, read, endTurn } = reads()
  const answers = [read('a'), read('b')]
  t.equal(calls.length, 0, 'nothing is sent before the turn ends')
  endTurn()
  t.same(calls.map(({ keys, args }) => ({ keys, args })), [{ keys: ['gate:a', 'copy:a', 'gate:b', 'copy:b'], args: ['first', 'era', 'a', 'era', 'b'] }])
  const later = read('c')
  endTurn()
  t.same(calls[1]!.keys, ['gate:c', 'copy:c'])
  calls[1]!.callback(null, [['HIT', 'c']])
  calls[0]!.callback(null, [['HIT', 'a'], ['HIT', 'b']])
  t.same(await Promise.all([...answers, later]), [['HIT', 'a'], ['HIT', 'b'], ['HIT', 'c']])
})

t.test('no call reads more than 64, and the end of the turn sends what is left, if anything is', async t => {
  const { calls, read, endTurn } = reads()
  for (let i = 0; i < 64; i++) read(String(i))
  t.same(calls.map(({ keys }) => keys.length), [128], 'the 64th does not wait')
  endTurn()
  t.equal(calls.length, 1)
  for (let i = 0; i < 65; i++) read(String(i))
  endTurn()
  t.same(calls.map(({ keys }) => keys.length), [128, 128, 2])
})

t.test('in a Cluster each read is a call of its own, at once', async t => {
  const { calls, read } = reads({ cluster: true })
  read('a')
  read('b')
  t.same(calls.map(({ keys, args }) => [...keys, ...args]), [['gate:a', 'copy:a', 'first', 'era', 'a'], ['gate:b', 'copy:b', 'first', 'era', 'b']])
})

t.test('what is wrong with one session is told to who reads it alone; a failed call to all of its readers', async t => {
  const { calls, read, endTurn } = reads()
  const answers = [read('a'), read('b')]
  endTurn()
  calls[0]!.callback(null, [['ERROR', 'WRONGTYPE'], ['HIT', 'b']])
  t.match(await answers[0], { code: 'FST_RSP_SESSION_COPY_FOREIGN', message: /WRONGTYPE/ })
  t.same(await answers[1], ['HIT', 'b'])
  const failing = [read('c'), read('d')]
  endTurn()
  const failure = new TypeError('gone')
  calls[1]!.callback(failure)
  t.same((await Promise.all(failing)).map(error => error === failure), [true, true])
})
