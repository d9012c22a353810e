import type { Step } from '@respite/testing'
import { bump, drop, tick } from './redis.ts'
import { Turn } from './reading.ts'
import { type Scene, type World, fresh, keysOf, missing, over } from './world.ts'

type What = { readonly drop: number } | { readonly bump: number }

/** A call that commits to the database and then invalidates: by key, or by tag. */
export function ending (scene: Scene, world: World, index: number, what: What): Step<World>[] {
  const by = (label: string, act: (turn: Turn) => void): Step<World>[] => [{ label: `call ${index}: ${label}`, act: after => act(new Turn(scene, after, index)) }]
  const name = 'drop' in what ? `k${what.drop}` : `t${what.bump}`
  switch (world.calls[index]!.step) {
    case 'idle': return by(`commits what ${name} covers`, turn => commit(turn, what))
    case 'drop': return by(`drop ${name}`, turn => dropKey(turn, what))
    case 'tick': return by('tick', turn => tickClock(turn))
    case 'bump': return by(`bump ${name}`, turn => bumpTag(turn, what))
    default: return by(`the invalidation of ${name} resolves`, turn => resolve(turn, what))
  }
}

const covered = (scene: Scene, what: What): number[] => 'drop' in what ? [what.drop] : keysOf(scene, what.bump)

function commit ({ scene, world, call }: Turn, what: What): void {
  call.version = ++world.commits
  for (const key of covered(scene, what)) world.rows[key] = call.version
  if ('drop' in what) call.step = 'drop'
  else call.step = scene.inFactory === true && scene.without !== 'bump ticks first' ? 'tick' : 'bump'
}

function dropKey (turn: Turn, what: What): void {
  const { scene, world, call } = turn
  executes(turn, what)
  drop(scene, world, covered(scene, what)[0]!)
  call.step = 'resolve'
  if (scene.local !== true) resolve(turn, what)
}

function tickClock ({ scene, world, call }: Turn): void {
  call.tick = tick(scene, world)
  call.step = scene.without === 'bump ticks first' ? 'resolve' : 'bump'
}

function bumpTag (turn: Turn, what: What): void {
  const { scene, world, call, index } = turn
  executes(turn, what)
  const early = scene.without === 'bump ticks first'
  // A bump of declared tags alone needs no clock: nobody looks at it.
  const at = call.tick ?? (early ? world.clock! : { g: 'A', s: 0 })
  bump(scene, world, 'bump' in what ? what.bump : 0, { nonce: fresh(call, index), ...at })
  call.step = early ? 'tick' : 'resolve'
  if (scene.local !== true && !early) resolve(turn, what)
}

function executes ({ scene, world, call }: Turn, what: What): void {
  for (const key of covered(scene, what)) world.executed[key] = Math.max(world.executed[key]!, call.version!)
}

/** The invalidation is over: from now on it is promised. */
export function resolve ({ scene, world, call, process, index }: Turn, what: What): void {
  if (scene.without !== 'an own invalidation spoils at its reply') {
    const own = scene.calls[index]!.process
    if ('drop' in what) spoilKey(scene, world, own, what.drop)
    else spoilTag(scene, world, own, what.bump)
  }
  for (const key of covered(scene, what)) {
    world.resolved[key] = Math.max(world.resolved[key]!, call.version!)
    process.floors[key] = Math.max(process.floors[key]!, call.version!)
  }
  over(world, index)
}

export function spoilKey (scene: Scene, world: World, process: number, key: number): void {
  world.processes[process]!.copies[key] = null
  for (const [index, { read }] of world.calls.entries()) if (read?.key === key && read.mark >= 0 && scene.calls[index]!.process === process) read.spoiled = true
}

export function spoilTag (scene: Scene, world: World, process: number, tag: number): void {
  world.processes[process]!.nonces[tag] = missing
  for (const [index, { read }] of world.calls.entries()) {
    const at = read === undefined || read.mark < 0 || scene.calls[index]!.process !== process ? -1 : scene.keys[read.key]!.indexOf(tag)
    if (at >= 0) read!.spoiledTags[at] = true
  }
}
