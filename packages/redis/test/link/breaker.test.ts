import t from 'tap'
import { Breaker } from '../../src/link/breaker.ts'

t.test('a probe that fails in the moment of another failure opens it again: uncounted it would be the last', async t => {
  const seen: string[] = []
  const breaker = new Breaker(1, () => { seen.push(breaker.state) })
  breaker.failed('the call')
  breaker.probing()
  breaker.failed('the probe')
  t.same(seen, ['open', 'half-open', 'open'])
  t.equal(breaker.reason, 'the probe')
})

t.test('failures of one turn of the event loop count as one, those of the next as another', async t => {
  const breaker = new Breaker(2, () => {})
  for (let i = 0; i < 10; i++) breaker.failed('no answer')
  t.equal(breaker.state, 'closed')
  await new Promise(resolve => setImmediate(resolve))
  breaker.failed('no answer')
  t.equal(breaker.state, 'open')
})

t.test('while it is closed or half open, probing changes nothing', async t => {
  const seen: string[] = []
  const breaker = new Breaker(1, () => { seen.push(breaker.state) })
  breaker.probing()
  breaker.failed('no answer')
  breaker.probing()
  breaker.probing()
  breaker.succeeded()
  t.same(seen, ['open', 'half-open', 'closed'])
})
