import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startPostgres, until } from '@respite/testing'
import type { Redis } from 'ioredis'
import type { Drill, DrillFindings, DrillOptions } from '../drill.ts'
import { ExpiryWatch } from './expiry-watch.ts'
import { failover, faults, nowMs } from './faults.ts'
import { HistoryCrew } from './history-crew.ts'
import { type Asked, brokenPromises, type Ending, fieldNames, type Listed, type Login, olderReads, type Save, type SessionHistory, type Told } from './session-history-checker.ts'
import { acceptedInGrace, type Begun, type Rotation } from './session-rotations.ts'

const settings = { users: 12, fields: fieldNames, trustMs: 1_000, pollMs: 250, touchMs: 200, rotateMs: 400, graceMs: 150, durableDeadlineMs: 2_000 }
/** What a process has waited at most for its timer and for Redis beyond `trust`. */
const slackMs = 250
/** A machine that is busy with other things comes back slowly. */
const restWithinMs = 60_000

type Event = { kind: 'asked' } & Omit<Asked, 'process'> | { kind: 'listed' } & Omit<Listed, 'process'> | { kind: 'told' } & Told | { kind: 'wrong', what: string }
type Call = { op: string, calledAt: number } & (
  | { kind: 'login', user: string, field: string, value: number }
  | { kind: 'ending', user: string, sid?: string, except?: string }
  | { kind: 'save', sid: string, field: string, value: number })
interface Outcome { op: string, resolvedAt: number, sid?: string, ended?: string[], refused?: boolean }

interface Recorded { asked: Asked[], listed: Listed[], told: Told[], wrong: string[] }

/** Several processes over one Redis and one durable store, disturbed at random; what they saw is recorded and judged afterwards. */
export const sessionHistory: Drill = {
  name: 'session-history',
  about: 'processes log in, ask, save, log out and revoke over one Redis that is frozen, killed, emptied and replaced by a replica that lacks its latest writes, and die, while secrets rotate: no session outlives its end, and no field is lost',
  run
}

async function run (options: DrillOptions): Promise<DrillFindings> {
  const { seed, print } = options
  const stops: (() => unknown)[] = []
  try {
    const store = await startStore(seed, stops)
    print(`durable store: ${store.kind}`)
    const plan = {
      processes: 4,
      worker: 'candidates/session-history/worker.mjs',
      env: (seed: number) => ({ ...store.env, BENCH_HISTORY: JSON.stringify({ ...settings, seed }) }),
      faults: { ...faults, failover },
      calmMs: { least: 50, most: 800 }
    }
    const crew = await HistoryCrew.start<Event>(plan, seed, stops)
    const watch = new ExpiryWatch(crew.admin)
    stops.push(() => watch.stop())
    const startedAt = nowMs()
    const recorded: Recorded = { asked: [], listed: [], told: [], wrong: [] }
    const tried = () => recorded.asked.length + recorded.listed.length
    const operations = options.operations ?? (options.quick ? 5_000 : 100_000)
    await crew.work((number, events) => record(recorded, number, events), () => tried() >= operations)
    await lookOnceMore(crew, recorded)
    await watch.stop()
    const figures = { seconds: Math.round((nowMs() - startedAt) / 1_000), keysLookedAt: watch.keys, ...crew.counts }
    const history = { ...recorded, ...await callsOf(crew), ...await rotationsOf(crew), keysWithoutExpiry: [...watch.without], trustMs: settings.trustMs + slackMs }
    const findings = judge(history, figures)
    for (const [name, value] of Object.entries(findings.figures)) print(`${name.padEnd(28)}${value}`)
    return findings
  } finally {
    for (const stop of stops.reverse()) await stop()
  }
}

/** The seed also chooses the store: a Postgres server where one answers, or a SQLite file. */
async function startStore (seed: number, stops: (() => unknown)[]): Promise<{ kind: string, env: NodeJS.ProcessEnv }> {
  const postgres = seed % 2 === 0 ? await startPostgres() : undefined
  if (postgres !== undefined) stops.push(() => postgres.stop())
  if (postgres?.url !== undefined) return { kind: 'postgres', env: { BENCH_POSTGRES_URL: postgres.url } }
  const folder = mkdtempSync(join(tmpdir(), 'respite-drill-'))
  stops.push(() => rmSync(folder, { recursive: true, force: true }))
  return { kind: 'sqlite', env: { BENCH_SQLITE_FILE: join(folder, 'sessions.db') } }
}

/** When nothing is disturbed any more and every call has resolved, all processes are asked about all sessions. */
async function lookOnceMore (crew: HistoryCrew<Event>, recorded: Recorded): Promise<void> {
  await crew.ask('rest')
  await until('the links to be up', async () => (await crew.ask('linkState')).every(({ answer }) => answer === 'up'), restWithinMs)
  await crew.ask('askAll')
  for (const { number, answer } of await crew.ask('take')) record(recorded, number, answer as Event[])
}

function record ({ asked, listed, told, wrong }: Recorded, process: number, events: readonly Event[]): void {
  for (const event of events) {
    if (event.kind === 'wrong') wrong.push(event.what)
    else if (event.kind === 'listed') listed.push({ ...event, process })
    else if (event.kind === 'told') told.push(event)
    else asked.push({ ...event, process })
  }
}

/** Calls with their outcomes, as far as they are known. */
async function callsOf ({ database }: HistoryCrew<Event>): Promise<Pick<SessionHistory, 'logins' | 'endings' | 'saves'>> {
  const outcomes = new Map((await read<Outcome>(database, 'outcomes')).map(outcome => [outcome.op, outcome]))
  const logins: Login[] = []
  const endings: Ending[] = []
  const saves: Save[] = []
  for (const call of await read<Call>(database, 'calls')) {
    const outcome = outcomes.get(call.op)
    if (outcome?.refused === true) continue
    if (call.kind === 'ending') endings.push({ ...call, ...outcome })
    else if (call.kind === 'save') saves.push({ ...call, ...outcome, sid: call.sid })
    else {
      logins.push({ ...call, ...outcome })
      // The data of a login are its session's first fields.
      if (outcome?.sid !== undefined) saves.push({ ...call, ...outcome, sid: outcome.sid })
    }
  }
  return { logins, endings, saves }
}

/** Secrets that were replaced, and requests that may have replaced one. */
async function rotationsOf ({ database }: HistoryCrew<Event>): Promise<Pick<SessionHistory, 'rotations' | 'begun' | 'graceMs' | 'durableDeadlineMs'>> {
  const { graceMs, durableDeadlineMs } = settings
  const begun = (await database.hvals('begun')).map(json => JSON.parse(json) as Begun)
  return { rotations: await read<Rotation>(database, 'rotations'), begun, graceMs, durableDeadlineMs }
}

async function read<It> (database: Redis, list: string): Promise<It[]> {
  return (await database.lrange(list, 0, -1)).map(json => JSON.parse(json) as It)
}

function judge (history: SessionHistory & Pick<Recorded, 'wrong'>, figures: Record<string, number>): DrillFindings {
  const { asked, listed, logins, endings, saves, rotations, told, wrong } = history
  const broken = brokenPromises(history)
  const answered = (answer: Asked['answer']) => asked.filter(request => request.answer === answer).length
  const resolved = (calls: readonly { resolvedAt?: number }[]) => calls.filter(call => call.resolvedAt !== undefined).length
  const counts = {
    acceptedRequests: answered('accepted'), refusedRequests: answered('refused'), logins: resolved(logins), endings: resolved(endings), saves: resolved(saves), rotations: rotations.length, keysLookedAt: figures.keysLookedAt!
  }
  return {
    operations: asked.length + listed.length,
    violations: [
      ...broken, ...wrong.map(what => `an answer that may not be: ${what}`),
      ...Object.entries(counts).filter(([, count]) => count === 0).map(([what]) => `${what}: none, nothing was tried`)
    ],
    figures: {
      brokenPromises: broken.length,
      ...counts,
      failedRequests: answered('failed'),
      unknownCalls: logins.length + endings.length + saves.length - counts.logins - counts.endings - counts.saves,
      olderReads: olderReads(history),
      acceptedInGrace: acceptedInGrace(history),
      reuses: told.filter(({ what }) => what === 'reuse').length,
      ...figures
    }
  }
}
