import type { Step } from '@respite/testing'
import { confirmDead, unacknowledged, waitForAll } from './acknowledging.ts'
import { changedHere } from './near.ts'
import { type Turn, script, statement } from './turn.ts'
import { type World, idle, isAlive, living } from './world.ts'

/** Makes a session, and ends what the user may not have beside it. */
export function login (turn: Turn): Step<World>[] {
  const { call, plan, scene } = turn
  const hash = plan.hash!
  const lease = (turn: Turn) => scene.without === 'activate asks for its lease' ? { n: `n${turn.index}`, g: turn.call.epoch! } : turn.call.lease ?? { n: '', g: 0 }
  switch (call.step) {
    case 'idle': return script(turn, turn => ['read', '-', `n${turn.index}`, String(turn.world.era)], leased, turn => { turn.call.step = 'commit' })
    case 'commit':
      if (scene.without !== 'a login locks its owner') return statement(turn, 'commits', turn => insert(turn, victimsOf(turn)))
      return statement(turn, 'reads who lives', turn => { turn.call.hashes = victimsOf(turn); turn.call.step = 'insert' })
    case 'insert': return statement(turn, 'inserts', turn => insert(turn, turn.call.hashes!))
    case 'activate': return script(turn, turn => ['activate', hash, turn.call.hashes!, lease(turn), turn.content], activated, notActivated)
    case 'wait': return waitForAll(turn, turn => turn.ends(turn.call.hashes!, 'S1'))
    default: return statement(turn, 'confirms', turn => confirmDead(turn, turn.call.hashes!), turn => turn.over('ok'))
  }
}

function leased ({ call }: Turn, reply: unknown): void {
  const [, n, g] = reply as string[]
  call.lease = { n: n!, g: Number(g) }
  call.step = 'commit'
}

/** The hashes that end with this login; undefined when it is refused. */
function victimsOf ({ scene: { max = 1, reject = false }, world }: Turn): string[] | undefined {
  const rows = living(world)
  const sids = [...new Set(rows.map(([, { sid }]) => sid))]
  if (reject && sids.length >= max) return undefined
  const ended = sids.slice(0, Math.max(0, sids.length - max + 1))
  return rows.filter(([, { sid }]) => ended.includes(sid)).map(([hash]) => hash)
}

function insert (turn: Turn, victims: readonly string[] | undefined): void {
  const { world, call, plan } = turn
  if (victims === undefined) {
    turn.over('refused')
    return
  }
  const hash = plan.hash!
  call.hashes = victims.filter(victim => isAlive(world.rows[victim], world.now))
  for (const victim of call.hashes) Object.assign(world.rows[victim]!, { dead: true, pend: 1 })
  call.epoch = ++world.epoch
  world.rows[hash] = { sid: hash, epoch: call.epoch, dead: false, pend: 0, until: world.now + idle, next: '', version: 1, data: {} }
  world.issued.push(hash)
  call.row = { version: 1, data: {}, until: world.now + idle }
  call.commit = ++world.commits
  call.step = 'activate'
}

function activated (turn: Turn): void {
  changedHere(turn, turn.call.hashes!)
  turn.ends(turn.call.hashes!, 'S1')
  if (turn.call.hashes!.length === 0) turn.over('ok')
  else turn.call.step = 'confirm'
}

function notActivated (turn: Turn): void {
  changedHere(turn, turn.call.hashes!)
  if (turn.call.hashes!.length === 0) turn.over('ok')
  else unacknowledged(turn, turn.call.hashes!, 'S1')
}
