import t from 'tap'
import { runDrill } from '../../src/drill.ts'
import { sessionHistory } from '../../src/drills/session-history.ts'
import { type Asked, brokenPromises, type Ending, type Login, olderReads, type Save, type SessionHistory } from '../../src/drills/session-history-checker.ts'
import { acceptedInGrace, type Rotation } from '../../src/drills/session-rotations.ts'

const login: Login = { op: '0 1', user: 'ada', sid: 'a', calledAt: 10, resolvedAt: 12 }
const later: Login = { op: '0 2', user: 'ada', sid: 'b', calledAt: 100, resolvedAt: 104 }
const logout: Ending = { op: '1 1', user: 'ada', sid: 'a', calledAt: 50, resolvedAt: 60 }
const save: Save = { op: '1 2', sid: 'a', field: 'f1', value: 7, calledAt: 20, resolvedAt: 22 }
const newer: Save = { op: '1 3', sid: 'a', field: 'f1', value: 8, calledAt: 30, resolvedAt: 32 }

const accepted = (beganAt: number, more: Partial<Asked> = {}): Asked => {
  const shown = more.shown ?? 'a'
  return { process: 1, user: 'ada', shown, beganAt, endedAt: beganAt + 1, answer: 'accepted', as: { user: 'ada', sid: typeof shown === 'string' ? shown : '' }, ...more }
}
const refused = (beganAt: number, more: Partial<Asked> = {}): Asked => ({ process: 1, user: 'ada', shown: 'a', beganAt, endedAt: beganAt + 1, answer: 'refused', ...more })
const history = (more: Partial<SessionHistory>): SessionHistory => ({
  logins: [login],
  endings: [],
  saves: [],
  asked: [],
  listed: [],
  told: [],
  rotations: [],
  begun: [],
  keysWithoutExpiry: [],
  trustMs: 1_000,
  graceMs: 100,
  durableDeadlineMs: 2_000,
  ...more
})
const broken = (more: Partial<SessionHistory>) => brokenPromises(history(more))

t.test('no request that began after a session\'s end had resolved may be accepted', async t => {
  t.match(broken({ endings: [logout], asked: [accepted(61)] }), [/^\(ended\) accepted after its end: .*"beganAt":61.*"resolvedAt":60/])
  t.strictSame(broken({ endings: [logout], asked: [accepted(59)] }), [], 'it may have begun before')
  t.strictSame(broken({ endings: [{ op: '1 1', user: 'ada', sid: 'a', calledAt: 50 }], asked: [accepted(5_000)] }), [], 'nobody was promised that it ended')
  t.strictSame(broken({ endings: [{ ...logout, user: 'bob' }, { ...logout, sid: 'b' }], asked: [accepted(61)] }), [], 'another one ended')
})

t.test('a revoke of all ends what was there when it was called, and what it says it ended', async t => {
  const all: Ending = { op: '1 1', user: 'ada', calledAt: 50, resolvedAt: 60 }
  t.match(broken({ endings: [all], asked: [accepted(61)] }), [/^\(ended\)/])
  t.strictSame(broken({ endings: [{ ...all, except: 'a' }], asked: [accepted(61)] }), [])
  t.strictSame(broken({ endings: [{ ...all, calledAt: 11 }], asked: [accepted(61)] }), [], 'it was called before the login had resolved')
  t.match(broken({ endings: [{ ...all, calledAt: 11, ended: ['a'] }], asked: [accepted(61)] }), [/^\(ended\)/])
})

t.test('a login ends the earlier session, and of logins at once one is left', async t => {
  t.match(broken({ logins: [login, later], asked: [accepted(105)] }), [/^\(ended\) accepted after its end/])
  t.strictSame(broken({ logins: [login, later], asked: [accepted(103), accepted(105, { shown: 'b' })] }), [])
  const atOnce = { ...later, calledAt: 11 }
  t.match(broken({ logins: [login, atOnce], asked: [accepted(105), accepted(106, { shown: 'b' })] }), [/^\(one\) two logins at once and both are accepted/])
  t.strictSame(broken({ logins: [login, atOnce], asked: [accepted(103), accepted(106, { shown: 'b' }), accepted(107, { shown: 'b' })] }), [])
  t.match(broken({ logins: [login, later], listed: [{ process: 1, user: 'ada', beganAt: 103, sids: ['a', 'b'] }] }), [/^\(one\) more than one/])
  t.match(broken({ logins: [login, later], listed: [{ process: 1, user: 'ada', beganAt: 105, sids: ['a'] }] }), [/^\(ended\) listed after/])
})

t.test('a session that nothing can have ended is not refused', async t => {
  t.match(broken({ asked: [refused(13)] }), [/^\(alive\)/])
  t.strictSame(broken({ asked: [refused(11), { ...refused(13), answer: 'failed' }] }), [], 'before it was made, or without an answer')
  t.strictSame(broken({ logins: [login, { ...later, calledAt: 14, resolvedAt: 500 }], asked: [refused(13)] }), [], 'the later login was on its way')
  t.strictSame(broken({ endings: [{ op: '1 1', user: 'ada', calledAt: 1 }], asked: [refused(13)] }), [], 'a call whose outcome nobody knows may have ended it')
  t.match(broken({ endings: [{ op: '1 1', user: 'ada', calledAt: 1, resolvedAt: 2 }], asked: [refused(13)] }), [/^\(alive\)/], 'one that resolved before cannot')
})

t.test('nobody is logged in by failure, nor as somebody else', async t => {
  for (const bad of ['forged', 'neverIssued', 'none'] as const) t.match(broken({ asked: [accepted(20, { shown: { bad } })] }), [/^\(failure\)/])
  t.strictSame(broken({ asked: [refused(20, { shown: { bad: 'forged' } })] }), [])
  t.match(broken({ asked: [accepted(20, { as: { user: 'bob', sid: 'a' } })] }), [/^\(failure\)/])
  t.match(broken({ asked: [accepted(20, { as: { user: 'ada', sid: 'b' } })] }), [/^\(failure\)/])
})

t.test('a field is never lost, invented, or older than what was confirmed longer ago than trust lasts', async t => {
  const read = (beganAt: number, fields: Record<string, number>) => ({ saves: [save, newer], asked: [accepted(beganAt, { fields })] })
  t.strictSame(broken(read(2_000, { f1: 8 })), [])
  t.match(broken(read(2_000, {})), [/^\(field\) f1 is older/])
  t.match(broken(read(2_000, { f1: 7 })), [/^\(field\) f1 is older .*"value":8/])
  t.match(broken(read(2_000, { f1: 9 })), [/^\(field\) f1 has a value that nobody set/])
  t.match(broken(read(25, { f1: 8 })), [/^\(field\) f1 has a value that nobody set/], 'not yet')
  t.match(broken({ ...read(2_000, { f1: 8, f2: 8 }) }), [/^\(field\) f2 has a value that nobody set/])
  t.strictSame(broken(read(40, { f1: 7 })), [])
  t.equal(olderReads(history(read(40, { f1: 7 }))), 1, 'but it is counted')
})

t.test('of saves at once either may be the last, and one whose outcome nobody knows at any time', async t => {
  const atOnce = [save, { ...newer, calledAt: 21 }]
  for (const f1 of [7, 8]) t.strictSame(broken({ saves: atOnce, asked: [accepted(2_000, { fields: { f1 } })] }), [])
  const unknown: Save = { op: '1 4', sid: 'a', field: 'f1', value: 9, calledAt: 15 }
  t.strictSame(broken({ saves: [save, unknown], asked: [accepted(2_000, { fields: { f1: 9 } })] }), [])
})

const rotation: Rotation = { sid: 'a', from: 0, beganAt: 200, endedAt: 210 }
/** A request by cookie. */
const byCookie = { op: '2 1', generation: 0 }

t.test('a secret has one successor, and is not accepted after its grace', async t => {
  t.strictSame(broken({ rotations: [rotation], asked: [accepted(300, byCookie), accepted(400, { op: '2 2', generation: 1 })] }), [])
  t.match(broken({ rotations: [rotation], asked: [accepted(321, byCookie)] }), [/^\(grace\) accepted after its grace: .*"beganAt":321.*"endedAt":210/])
  t.strictSame(broken({ rotations: [rotation], asked: [accepted(321)] }), [], 'a bearer token keeps its secret')
  t.match(broken({ rotations: [rotation, { ...rotation, beganAt: 201, endedAt: 220 }] }), [/^\(successor\) .*"endedAt":220/])
  t.strictSame(broken({ rotations: [rotation, { ...rotation, from: 1 }, { ...rotation, sid: 'b' }] }), [])
  t.equal(acceptedInGrace(history({ rotations: [rotation], asked: [accepted(205, byCookie), accepted(300, byCookie), refused(301, byCookie)] })), 1)
})

t.test('a secret is refused only where its grace may have ended, and what its use after that ends may be refused from then on', async t => {
  const newest = { op: '2 9', generation: 1 }
  t.match(broken({ rotations: [rotation], asked: [refused(290, byCookie)] }), [/^\(alive\)/])
  t.strictSame(broken({ rotations: [rotation], asked: [refused(300, byCookie)] }), [])
  t.match(broken({ rotations: [rotation], asked: [refused(300, newest)] }), [/^\(alive\)/])
  t.match(broken({ rotations: [rotation], asked: [refused(300, byCookie), refused(290, newest)] }), [/^\(alive\)/])
  t.strictSame(broken({ rotations: [rotation], asked: [refused(300, byCookie), refused(301, newest)] }), [])
})

t.test('a request by cookie may have got a new secret that nobody knows of, if it died, failed or took too long', async t => {
  const later = refused(300, { op: '2 9', generation: 0 })
  t.match(broken({ begun: [{ op: '2 8', sid: 'b', calledAt: 100 }, { op: '2 9', sid: 'a', calledAt: 100 }], asked: [later] }), [/^\(alive\)/], 'its answer is known')
  t.strictSame(broken({ begun: [{ op: '2 8', sid: 'a', calledAt: 100 }], asked: [later] }), [])
  t.strictSame(broken({ asked: [accepted(100, { ...byCookie, endedAt: 2_100 }), later] }), [])
  t.strictSame(broken({ asked: [refused(100, { ...byCookie, answer: 'failed' }), later] }), [])
  t.match(broken({ asked: [refused(100, { answer: 'failed' }), refused(300)] }), [/^\(alive\)/], 'a bearer never gets one')
})

t.test('what a process was told has ended is accepted nowhere', async t => {
  t.match(broken({ told: [{ what: 'revoked', sid: 'a', at: 500 }], asked: [accepted(501)] }), [/^\(ended\)/])
  t.strictSame(broken({ told: [{ what: 'reuse', sid: 'a', at: 500 }, { what: 'revoked', sid: 'b', at: 500 }], asked: [accepted(501)] }), [])
})

t.test('a key without expiry is named', async t => {
  t.strictSame(broken({ keysWithoutExpiry: ['respite:v1:x'] }), ['(expiry) key respite:v1:x has none'])
})

t.test('sessions keep their promises while Redis is frozen, killed and emptied and processes die', async t => {
  const result = await runDrill(sessionHistory, { quick: true, seed: 7, operations: 3_000, seconds: undefined, print: text => { t.comment(text) } })
  t.strictSame(result.violations, [])
  t.ok(result.operations >= 3_000, `${result.operations} operations`)
  t.equal(result.figures.brokenPromises, 0)
  t.ok(result.figures.rotations! > 0, `${result.figures.rotations} rotations`)
})
