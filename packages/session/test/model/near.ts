import type { Step } from '@respite/testing'
import type { ModelRedis } from '../lua/scripts-model.ts'
import { type Turn, local } from './turn.ts'
import type { Near, Scene, World } from './world.ts'

// Copies in the process. The server says of every change to every process; what it says takes its time, and may be lost with its connection.

const gateKey = 'u'

/** What the server says after a change, to whoever hears it; of a flush it says all. */
export function tell ({ processes, rows, redis }: World, before: ModelRedis | 'all'): void {
  const changed = before === 'all' ? [...Object.keys(rows), gateKey] : changesOf(before, redis)
  for (const { near } of processes) if (near?.word === 'armed') near.told = [...new Set([...near.told, ...changed])].sort()
}

function changesOf (before: ModelRedis, after: ModelRedis): string[] {
  const hashes = Object.keys({ ...before.copies, ...after.copies }).filter(hash => differs(before.copies[hash], after.copies[hash]))
  return differs(before.gate, after.gate) ? [...hashes, gateKey] : hashes
}

const differs = (one: unknown, other: unknown): boolean => JSON.stringify(one) !== JSON.stringify(other)

/** Whether a request of this process is answered without asking. */
export function isNear ({ scene, world, process: { near, trusts, bypass }, plan }: Turn): boolean {
  const hash = plan.hash!
  const believes = scene.without === 'a local copy is believed as Redis is' || (trusts && !bypass.includes(hash))
  const kept = near?.kept[hash]
  return kept !== undefined && believes && kept.until > world.now && (kept.era === world.era || scene.without === 'a local copy is of one era')
}

/** Accepts a local copy: nothing is broken while the word that ends it is on its way, unless it is the process' own. */
export function acceptNear (turn: Turn): void {
  const { process: { near }, plan, call } = turn
  const mayNotKnow = near!.word === 'lost' || near!.told.includes(plan.hash!) || near!.told.includes(gateKey)
  if (mayNotKnow && !near!.ended.includes(plan.hash!)) call.forbidden = ''
  turn.accept()
  turn.over()
}

/** A question to Redis is about to be sent. A loss that nobody has noticed keeps nobody from marking. */
export function mark ({ world, process: { near }, call }: Turn): void {
  if (near !== undefined) Object.assign(call, { marked: near.word !== 'unarmed', era: world.era })
}

/** The answer of Redis arrives at the process. */
export function answered (turn: Turn): Step<World>[] {
  return local(turn, 'gets its copy', turn => {
    const { scene, process: { near }, call, plan } = turn
    turn.accept()
    if (call.marked || scene.without === 'a local copy is kept under a mark') near!.kept[plan.hash!] = { until: call.row!.until, era: call.era! }
    turn.over()
  })
}

/** This process has changed these sessions, or may have: it does not wait for the server's word. */
export function changedHere ({ scene, world, plan, process: { near } }: Turn, hashes: readonly string[]): void {
  if (near === undefined) return
  near.ended = [...new Set([...near.ended, ...hashes])].sort()
  if (scene.without !== 'an own change ends a local copy at once') for (const hash of hashes) drop({ scene, world, process: plan.process }, hash)
}

/** For these rows Redis is not believed from now on: their local copies go. */
export function spoilPending ({ scene, world, plan, process: { near, bypass } }: Turn): void {
  if (near !== undefined && scene.without !== 'a local copy is believed as Redis is') for (const hash of bypass) drop({ scene, world, process: plan.process }, hash)
}

interface Place { readonly scene: Scene, readonly world: World, readonly process: number }

/** With the gate all goes. */
function drop ({ scene, world, process }: Place, key: string): void {
  const meant = (hash: string | undefined) => key === gateKey || key === hash
  const { kept } = world.processes[process]!.near!
  for (const hash of Object.keys(kept)) if (meant(hash)) delete kept[hash]
  for (const [index, call] of world.calls.entries()) {
    const plan = scene.calls[index]!
    if (call.marked === true && plan.process === process && meant(plan.hash)) call.marked = false
  }
}

/** What becomes of the server's words. */
export function words (scene: Scene, world: World): Step<World>[] {
  return world.processes.flatMap(({ near }, process) => near === undefined ? [] : wordsTo({ scene, world, process }, near))
}

function wordsTo ({ scene, world, process }: Place, { told, word }: Near): Step<World>[] {
  const step = (label: string, act: (place: Place, near: Near) => void): Step<World> =>
    ({ label: `process ${process} ${label}`, act: world => act({ scene, world, process }, world.processes[process]!.near!) })
  const turns = (to: Near['word']) => (place: Place, near: Near) => {
    near.word = to
    if (scene.without !== 'local copies end with the word') drop(place, gateKey)
  }
  const steps = told.map(key => step(`hears of ${key}`, (place, near) => {
    near.told = near.told.filter(other => other !== key)
    drop(place, key)
  }))
  if (word === 'armed' && world.luck.loss > 0) steps.push(step('is cut from the word', ({ world }, near) => { world.luck.loss--; Object.assign(near, { told: [], word: 'lost' }) }))
  if (word === 'lost') steps.push(step('notices it', turns('unarmed')))
  if (word === 'unarmed') steps.push(step('hears again', turns('armed')))
  return steps
}
