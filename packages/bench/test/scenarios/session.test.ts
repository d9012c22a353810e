import t from 'tap'
import { runScenario } from '../../src/run-scenario.ts'
import { session, sessionFallback } from '../../src/scenarios/session.ts'
import { sessionLogin } from '../../src/scenarios/session-login.ts'
import { sessionRevoke } from '../../src/scenarios/session-revoke.ts'

// A minute of two cores.
const skip = process.env.RESPITE_BENCHES !== 'all' && 'RESPITE_BENCHES=all runs it'

const options = { rounds: 1, seconds: 0.3, warmupSeconds: 0.2, seed: 1, only: [] as string[], nodeArguments: [] }

t.test('our sessions are read without a write, those of the peers with one', { skip }, async t => {
  const printed: string[] = []
  const { results } = await runScenario(session, { ...options, only: ['peers', 'respite'], print: text => { printed.push(text) } })
  const { rps, bytesBesideData, redisWritesPerRequest, durableWritesPerRequest } = results.respite!
  t.ok(rps! > 0, `${rps} a second`)
  t.ok(bytesBesideData! > 0, `a session takes ${bytesBesideData} bytes beside its data`)
  t.strictSame([redisWritesPerRequest, durableWritesPerRequest], [0, 0])
  // A few requests are on their way at both ends of so short an interval.
  t.ok(Math.abs(results.peers!.redisWritesPerRequest! - 1) < 0.3, 'the peers write the session back')
  t.match(printed.join('\n'), /^respite: over a SQLite file; Redis commands a request/m)
})

t.test('with Redis gone a session is read once for all who ask at once', { skip }, async t => {
  const { results } = await runScenario(sessionFallback, { ...options, only: ['respite'], print: text => { t.comment(text) } })
  const { rps, selectsPerRequest, selectsOfASessionAtOnce } = results.respite!
  t.ok(rps! > 0, `${rps} a second`)
  t.ok(selectsPerRequest! > 0 && selectsPerRequest! < 1, `${selectsPerRequest} SELECTs a request`)
  t.equal(selectsOfASessionAtOnce, 1)
})

t.test('logins end the session before', { skip }, async t => {
  const { results } = await runScenario(sessionLogin, { ...options, only: ['respite-sqlite'], print: text => { t.comment(text) } })
  t.ok(results['respite-sqlite']!.opsPerSecond! > 0, `${results['respite-sqlite']!.opsPerSecond} a second`)
})

t.test('a revoke without local copies is never late', { skip }, async t => {
  const { results } = await runScenario(sessionRevoke, { ...options, print: text => { t.comment(text) } })
  t.equal(results.respite!.lateMaxMs, 0)
  t.ok(results['respite-l1']!.lateMaxMs! < 2_000, `${results['respite-l1']!.lateMaxMs} ms`)
})
