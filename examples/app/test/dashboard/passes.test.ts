import t from 'tap'
import { Passes } from '../../src/dashboard/passes.ts'

const token = 'a token of a test, for the board.'
let nowMs = 1_700_000_000_000
const clock = { wallMs: () => nowMs, monotonicMs: () => 0 }
const hour = 3_600_000

t.test('a pass is good for twelve hours, and where the token is the same', async t => {
  const issued = new Passes(token, clock).issue()
  t.equal(new Passes(token, clock).validUntilMs(issued), nowMs + 12 * hour)
  nowMs += 12 * hour
  t.equal(new Passes(token, clock).validUntilMs(issued), undefined, 'when they are over')
})

t.test('a pass holds nothing of the token', async t => {
  t.notMatch(new Passes(token, clock).issue(), token)
  t.match(new Passes(token, clock).issue(), /^\d{13}\.[\w-]{43}$/)
})

t.test('what was forged is no pass', async t => {
  const passes = new Passes(token, clock)
  const [until, signature] = passes.issue().split('.') as [string, string]
  const later = String(Number(until) + 1)
  const flipped = (signature.startsWith('A') ? 'B' : 'A') + signature.slice(1)
  const others = new Passes(token.replace('test', 'foe'), clock).issue()
  for (const forged of [undefined, '', until, `${later}.${signature}`, `${until}.${flipped}`, `${until}.`, `${until}.${signature}x`, `9${until}.${signature}`, others]) {
    t.equal(passes.validUntilMs(forged), undefined, String(forged))
  }
})

t.test('only the token is the token', async t => {
  const passes = new Passes(token, clock)
  t.ok(passes.isToken(token))
  for (const wrong of ['', 'x', token.slice(1), `${token} `, token.toUpperCase()]) t.notOk(passes.isToken(wrong), wrong)
})
