import t from 'tap'
import { walk } from './protocol.ts'
import type { Guard, Plan, Scene } from './world.ts'

// The protocol as a model: every step is one transaction of the durable store, one script, or one thing that a process does by itself, and
// between any two of them anything else may happen. The scripts are the model that test/lua proves to answer as Redis does.
// Bounds are small; what is not walked is not proven. RESPITE_MODEL=large walks further, for some minutes.
//
// S1 of all logins one lives, and whom it replaced is refused once it has resolved
// S2 no request that comes after a log-out has resolved is accepted
// S3 a field whose save was acknowledged is in the row, and a copy that is believed has what the row has
// S5 an id that no store has issued is never accepted
// S6 what lives is not dead in Redis
// S7 a session has one successor, and its old id is not accepted after the grace

// A machine may be busy with other tests.
const large = process.env.RESPITE_MODEL === 'large'
t.setTimeout(large ? 7_200_000 : 900_000)

const request = (process: number, hash = 'A'): Plan => ({ op: 'request', process, hash })
const logout = (process: number, hash = 'A'): Plan => ({ op: 'logout', process, hash })
const login = (process: number, hash: string): Plan => ({ op: 'login', process, hash })
const save = (process: number, field: string, value = '1'): Plan => ({ op: 'save', process, hash: 'A', field, value })
const touch = (process: number): Plan => ({ op: 'touch', process, hash: 'A' })
const rotate = (process: number, next: string): Plan => ({ op: 'rotate', process, hash: 'A', next })
const poll = (process: number): Plan => ({ op: 'poll', process })
/** One after the other: the first may leave a copy that the second is answered from. */
const twice = (process: number): [Plan, Plan] => [request(process), { ...request(process), after: 1 }]
const sweep = (process: number): Plan => ({ op: 'sweep', process })
const failover = { failover: 1, replication: 1 }
const handover = { handover: 1, replication: 1 }

const overWipe: Scene = { cached: false, calls: [logout(0), request(1), request(1)], luck: { wipe: 1, eviction: 1 } }

const small: Record<string, Scene> = {
  'a log-out and two requests; wiped, evicted': overWipe,
  'a log-out and two requests; failover': { cached: false, calls: [logout(0), request(1), request(1)], luck: failover },
  'a log-out of a copy, two requests; failover, a late command': { calls: [logout(0), request(1), request(1)], luck: { ...failover, timeout: 1 } },
  'a log-out that Redis does not acknowledge, a request, a poll, a sweep; a crash': { calls: [logout(0), request(1), poll(1), sweep(1)], luck: { timeout: 2, crash: 1 } },
  'a log-out, a save, a touch, a request; evicted': { calls: [logout(0), save(1, 'x'), touch(1), request(1)], luck: { eviction: 1 } },
  'a log-out, a save, a request; a late command, wiped': { cached: false, calls: [logout(0), save(1, 'x'), request(1)], luck: { timeout: 1, wipe: 1 } },
  'a log-out, a request, a poll; the durable store fails': { calls: [logout(0), request(1), poll(1)], luck: { timeout: 1, sqlError: 1 } },
  'three logins': { processes: 3, calls: [login(0, 'B'), login(1, 'C'), login(2, 'D')], luck: {} },
  'two logins, a request; a late command': { calls: [login(0, 'B'), login(1, 'C'), request(1, 'B')], luck: { timeout: 1 } },
  'two logins, a request; wiped': { calls: [login(0, 'B'), login(1, 'C'), request(1, 'B')], luck: { wipe: 1 } },
  'a login, requests of the old id and the new; failover': { calls: [login(0, 'B'), request(1), request(1, 'B')], luck: failover },
  'a login and its log-out, two requests; wiped': { calls: [login(0, 'B'), { ...logout(1, 'B'), after: 0 }, request(0, 'B'), request(1, 'B')], luck: { wipe: 1 } },
  'two sessions a user: a login, requests of the older ones; a late command': { max: 2, rows: ['A', 'Z'], calls: [login(0, 'B'), request(0), request(1, 'Z')], luck: { timeout: 1 } },
  'two sessions a user: a further login is refused': { max: 2, reject: true, calls: [login(0, 'B'), login(1, 'C'), request(1, 'B')], luck: { wipe: 1, timeout: 1 } },
  'three saves, two of one field; evicted': { calls: [save(0, 'x', '1'), save(1, 'y', '1'), save(1, 'x', '2')], fields: ['x', 'y'], luck: { eviction: 1, timeout: 1 } },
  'two saves and a fill, a sweep; a late command': { cached: false, calls: [save(0, 'x', '1'), save(1, 'y', '2'), request(0), sweep(1)], fields: ['x', 'y'], luck: { timeout: 1 } },
  'two rotations, a touch, a request; two ticks': { calls: [rotate(0, 'B'), rotate(1, 'C'), touch(1), request(1)], luck: { tick: 2 } },
  'a rotation, a request under way; a tick, a late command': { cached: false, calls: [rotate(0, 'B'), request(1), request(1)], luck: { tick: 1, timeout: 1 } },
  'a rotation, a touch, a request; failover, two ticks': { calls: [rotate(0, 'B'), touch(1), request(1)], luck: { ...failover, tick: 2 } },
  'a rotation, saves through the old id; a late command': { calls: [rotate(0, 'B'), save(1, 'x'), save(0, 'y')], fields: ['x', 'y'], luck: { timeout: 1 } },
  'a rotation, a log-out of the old id, requests; a late command': { calls: [rotate(0, 'B'), logout(1), request(0, 'B'), request(1)], luck: { timeout: 1 } },
  'an id that no store knows; wiped, a late command': { calls: [request(0, 'Q'), request(1, 'Q'), logout(0, 'Q')], luck: { wipe: 1, timeout: 1 } }
}

/** With copies in the processes: what the server says of them is on its way, and an accept until it has arrived is what `l1` gives up. */
const near = {
  'a log-out and two requests; the word is lost': { l1: true, calls: [logout(0), request(1), request(1)], luck: { loss: 1 } },
  'a log-out, requests here and there; a late command': { l1: true, calls: [logout(0), request(0), request(1)], luck: { timeout: 1 } },
  'a log-out that Redis does not acknowledge, two requests, a poll': { l1: true, calls: [logout(0), ...twice(1), poll(1)], luck: { timeout: 1 } },
  'a log-out, two requests; a failover that breaks no connection': { l1: true, calls: [logout(0), ...twice(1)], luck: handover },
  'a login, two requests of the old id; the word is lost': { l1: true, calls: [login(0, 'B'), ...twice(1)], luck: { loss: 1 } },
  'a login, two requests of the old id; wiped': { l1: true, calls: [login(0, 'B'), ...twice(1)], luck: { wipe: 1 } },
  'a login, two requests of the old id in the same process': { l1: true, calls: [login(0, 'B'), ...twice(0)], luck: {} },
  'a rotation, two requests of the old id; a tick': { l1: true, calls: [rotate(0, 'B'), ...twice(1)], luck: { tick: 1 } },
  'a rotation, two requests of the old id in the same process; a tick': { l1: true, calls: [rotate(0, 'B'), ...twice(0)], luck: { tick: 1 } }
} satisfies Record<string, Scene>

const nearFurther: Record<string, Scene> = {
  'a login that Redis does not acknowledge, two requests of the old id, a poll': { l1: true, calls: [login(0, 'B'), ...twice(1), poll(1)], luck: { timeout: 1 } },
  'a rotation, two requests of the old id; a tick, the word is lost': { l1: true, calls: [rotate(0, 'B'), ...twice(1)], luck: { tick: 1, loss: 1 } },
  'a rotation, two requests of the old id; a tick, wiped': { l1: true, calls: [rotate(0, 'B'), ...twice(1)], luck: { tick: 1, wipe: 1 } },
  'a rotation, two requests of the old id, a poll; a tick, a late command': { l1: true, calls: [rotate(0, 'B'), ...twice(1), poll(1)], luck: { tick: 1, timeout: 1 } },
  'a rotation, a log-out of the old id, requests': { l1: true, calls: [rotate(0, 'B'), logout(1), request(0, 'B'), request(1)], luck: {} },
  'a log-out, two requests; failover': { l1: true, calls: [logout(0), request(1), request(1)], luck: failover },
  'a log-out and three requests; the word is lost': { l1: true, calls: [logout(0), request(1), request(1), request(1)], luck: { loss: 1 } },
  'a log-out, requests here and there; a late command': { l1: true, calls: [logout(0), request(0), request(1), request(1)], luck: { timeout: 1 } }
}

const further: Record<string, Scene> = {
  'a log-out and two requests; wiped, evicted, a crash': { cached: false, calls: [logout(0), request(1), request(1)], luck: { wipe: 1, eviction: 1, crash: 1 } },
  'two saves and a fill, a sweep; wiped, a late command': { cached: false, calls: [save(0, 'x', '1'), save(1, 'y', '2'), request(0), sweep(1)], fields: ['x', 'y'], luck: { wipe: 1, timeout: 1 } },
  'two sessions a user: a login, requests of the older ones; a late command, wiped': { max: 2, rows: ['A', 'Z'], calls: [login(0, 'B'), request(0), request(1, 'Z')], luck: { timeout: 1, wipe: 1 } },
  'a log-out and two requests; failover, wiped': { cached: false, calls: [logout(0), request(1), request(1)], luck: { ...failover, wipe: 1 } },
  'two logins, a request; a late command, wiped': { calls: [login(0, 'B'), login(1, 'C'), request(1, 'B')], luck: { timeout: 1, wipe: 1 } },
  'a login, a request; failover, evicted': { calls: [login(0, 'B'), request(1), request(1, 'B')], luck: { ...failover, eviction: 1 } },
  'an id that no store knows; wiped, a late command, the durable store fails': { calls: [request(0, 'Q'), request(1, 'Q'), logout(0, 'Q')], luck: { wipe: 1, timeout: 1, sqlError: 1 } },
  'a log-out that Redis does not acknowledge, two requests, a poll, a sweep; a crash': { calls: [logout(0), request(1), request(1), poll(1), sweep(1)], luck: { timeout: 2, crash: 1 } },
  'a log-out that Redis does not acknowledge, two requests, a poll; wiped, failover': { calls: [logout(0), request(1), request(1), poll(1)], luck: { timeout: 1, wipe: 1, ...failover } },
  'a log-out, two requests, a poll, a sweep; the durable store fails, a crash': { calls: [logout(0), request(1), request(1), poll(1), sweep(0)], luck: { timeout: 1, sqlError: 1, crash: 1 } },
  'a log-out, a save, a touch, a request; a late command, wiped, evicted': { calls: [logout(0), save(1, 'x'), touch(1), request(1)], luck: { timeout: 1, wipe: 1, eviction: 1 } },
  'a log-out, a save, two requests, a sweep; a late command, wiped': { cached: false, calls: [logout(0), save(1, 'x'), request(1), request(1), sweep(0)], luck: { timeout: 1, wipe: 1 } },
  'three logins; wiped': { processes: 3, calls: [login(0, 'B'), login(1, 'C'), login(2, 'D')], luck: { wipe: 1 } },
  'two logins, two requests; wiped': { calls: [login(0, 'B'), login(1, 'C'), request(0, 'B'), request(1, 'C')], luck: { wipe: 1 } },
  'two logins, a request; failover, evicted': { calls: [login(0, 'B'), login(1, 'C'), request(1, 'B')], luck: { ...failover, eviction: 1 } },
  'two logins, a request of the old id, a sweep; a late command, a crash': { calls: [login(0, 'B'), login(1, 'C'), request(0), sweep(1)], luck: { timeout: 1, crash: 1 } },
  'a login and its log-out, two requests; a late command, wiped, evicted': { calls: [login(0, 'B'), { ...logout(1, 'B'), after: 0 }, request(0, 'B'), request(1, 'B')], luck: { timeout: 1, wipe: 1, eviction: 1 } },
  'two sessions a user: two logins, two requests; wiped, a late command': { max: 2, rows: ['A', 'Z'], calls: [login(0, 'B'), login(1, 'C'), request(0), request(1, 'Z')], luck: { wipe: 1, timeout: 1 } },
  'three saves and a request; evicted, a late command': { calls: [save(0, 'x', '1'), save(1, 'y', '1'), save(1, 'x', '2'), request(0)], fields: ['x', 'y'], luck: { eviction: 1, timeout: 1 } },
  'two saves of one field, a request, a sweep; failover, a late command': { calls: [save(0, 'x', '1'), save(1, 'x', '2'), request(0), sweep(0)], fields: ['x'], luck: { ...failover, timeout: 1 } },
  'two rotations, a touch, a request; two ticks, a late command': { calls: [rotate(0, 'B'), rotate(1, 'C'), touch(1), request(1)], luck: { tick: 2, timeout: 1 } },
  'a rotation, two requests, a poll; two ticks, wiped, a late command': { cached: false, calls: [rotate(0, 'B'), request(1), request(1), poll(1)], luck: { tick: 2, timeout: 1, wipe: 1 } },
  'a rotation, a touch, two requests; failover, two ticks': { calls: [rotate(0, 'B'), touch(1), request(1), request(1)], luck: { ...failover, tick: 2 } },
  'a rotation, saves through the old id, a request; evicted, a late command': { calls: [rotate(0, 'B'), save(1, 'x'), save(0, 'y'), request(1)], fields: ['x', 'y'], luck: { timeout: 1, eviction: 1 } },
  'a rotation, a log-out of the old id, requests; wiped, a late command, a crash': { calls: [rotate(0, 'B'), logout(1), request(0, 'B'), request(1)], luck: { timeout: 1, wipe: 1, crash: 1 } }
}

// What breaks with every guard in place: some scenes are walked for both.
const walked = new Map<Scene, string>()

const named = (of: string, scenes: Record<string, Scene>) => Object.fromEntries(Object.entries(scenes).map(([name, scene]) => [`${of}: ${name}`, scene]))
const scenes = { ...small, ...named('local copies', near), ...large && { ...further, ...named('local copies, further', nearFurther) } }

for (const [name, scene] of Object.entries(scenes)) {
  t.test(`S1 to S7 hold: ${name}`, async t => {
    const beganMs = performance.now()
    const { broken, trace, states, transitions } = walk(scene)
    walked.set(scene, broken)
    t.comment(`${states} states, ${transitions} transitions, ${Math.round(performance.now() - beganMs)} ms`)
    t.equal(broken, '', trace.join('\n'))
    t.ok(states > 500, `${states} states`)
  })
}

const unreachable: Scene = { calls: [logout(0), request(1), request(1), poll(1)], luck: { timeout: 1 } }

const counterexamples: Record<Guard, [string, Scene]> = {
  'the durable store goes first': ['S2', overWipe],
  'a fill asks for its lease': ['S2', overWipe],
  'a kill advances the gate': ['S2', overWipe],
  'Redis is believed within one era': ['S2', { calls: [logout(0), request(1)], luck: failover }],
  'a lineage is random': ['S2', { cached: false, calls: [logout(0), request(1), request(1), request(1)], luck: { wipe: 1 } }],
  'activate asks for its lease': ['S1', { calls: [login(0, 'B'), login(1, 'C'), request(1, 'B')], luck: { wipe: 1 } }],
  'what Redis did not acknowledge is pending and waited for': ['S2', unreachable],
  'a row stays until Redis has acknowledged': ['S2', unreachable],
  'trust counts from when the poll was sent': ['S2', unreachable],
  'a late poll gives no trust': ['S2', unreachable],
  'a save never creates': ['S2', { calls: [logout(0), save(1, 'x'), request(1)], luck: {} }],
  'a save extends the version before it': ['S3', { calls: [save(0, 'x', '1'), save(1, 'x', '2')], luck: {} }],
  'a superseded copy goes': ['S7', { calls: [rotate(0, 'B'), touch(1), request(1)], luck: { tick: 2 } }],
  'a save follows to the successor': ['S3', { calls: [rotate(0, 'B'), save(1, 'x')], fields: ['x'], luck: {} }],
  'a revoke ends the family': ['S2', { calls: [rotate(0, 'B'), { ...logout(1), after: 0 }, request(0, 'B')], luck: {} }],
  'a login locks its owner': ['S1', { calls: [login(0, 'B'), login(1, 'C')], luck: {} }],
  'only a read sent later is shared': ['S2', { cached: false, calls: [logout(0), request(1), request(1)], luck: {} }],
  'a local copy is kept under a mark': ['S2', { l1: true, calls: [logout(0), request(1), request(1)], luck: {} }],
  'local copies end with the word': ['S2', { l1: true, calls: [logout(0), request(1), request(1)], luck: { loss: 1 } }],
  'a local copy is believed as Redis is': ['S2', { l1: true, calls: [logout(0), request(1), request(1)], luck: { timeout: 1 } }],
  'an own change ends a local copy at once': ['S2', { l1: true, calls: [logout(1), request(1), request(1)], luck: {} }],
  'a local copy is of one era': ['S2', near['a log-out, two requests; a failover that breaks no connection']]
}

/** What else breaks without the guards of local copies. */
const nearCounterexamples: [Guard, string, keyof typeof near][] = [
  ['a local copy is kept under a mark', 'S1', 'a login, two requests of the old id; the word is lost'],
  ['a local copy is kept under a mark', 'S1', 'a login, two requests of the old id; wiped'],
  ['a local copy is kept under a mark', 'S7', 'a rotation, two requests of the old id; a tick'],
  ['local copies end with the word', 'S1', 'a login, two requests of the old id; the word is lost'],
  ['a local copy is believed as Redis is', 'S2', 'a log-out that Redis does not acknowledge, two requests, a poll'],
  ['an own change ends a local copy at once', 'S1', 'a login, two requests of the old id in the same process'],
  ['an own change ends a local copy at once', 'S7', 'a rotation, two requests of the old id in the same process; a tick']
]

function whole (scene: Scene): string {
  if (!walked.has(scene)) walked.set(scene, walk(scene).broken)
  return walked.get(scene)!
}

function breaks (name: string, { guard, property, scene }: { guard: Guard, property: string, scene: Scene }): void {
  t.test(name, async t => {
    t.equal(whole(scene), '', 'with it nothing does')
    const { broken, trace } = walk({ ...scene, without: guard })
    t.comment(trace.join(' | '))
    t.match(broken, new RegExp(`^${property}: `))
  })
}

for (const [guard, [property, scene]] of Object.entries(counterexamples)) breaks(`without it ${property} breaks: ${guard}`, { guard: guard as Guard, property, scene })
for (const [guard, property, name] of nearCounterexamples) breaks(`without it ${property} breaks, too: ${guard}: ${name}`, { guard, property, scene: near[name] })
