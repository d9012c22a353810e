import t from 'tap'
import { Instances } from '../../src/bus/instances.ts'

t.test('counts who was heard of in the last minute of listening; an outage makes nobody older', async t => {
  let nowMs = 0
  const said: string[] = []
  const instances = new Instances({ clock: { monotonicMs: () => nowMs, wallMs: () => 0 }, chance: () => 0, say: what => said.push(what) })
  t.equal(instances.count, 1)
  instances.listening()
  t.same(said, ['hello'])
  instances.heard('a')
  nowMs = 30_000
  instances.heard('b')
  t.equal(instances.count, 3)
  instances.deaf()
  nowMs = 3_600_000
  t.equal(instances.count, 3)
  instances.listening()
  nowMs += 29_000
  t.equal(instances.count, 3)
  nowMs += 2_000
  t.equal(instances.count, 2)
  nowMs += 30_000
  t.equal(instances.count, 1)
  instances.stop()
  t.same(said, ['hello', 'hello', 'bye'])
})
