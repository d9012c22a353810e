import { resolve } from './ending.ts'
import type { Step } from '@respite/testing'
import { Turn } from './reading.ts'
import { fillOver, mint, open } from './redis.ts'
import { type Scene, type World, fresh } from './world.ts'

/** A call that writes through: it takes the versions and the lease, commits, and stores what it has committed. */
export function writing (scene: Scene, world: World, index: number, key: number): Step<World>[] {
  const by = (label: string, act: (turn: Turn) => void): Step<World>[] => [{ label: `call ${index}: ${label}`, act: after => act(new Turn(scene, after, index)) }]
  switch (world.calls[index]!.step) {
    case 'idle': return by(`takes the tags of k${key}`, turn => takeTags(turn, key))
    case 'open': return by(`opens k${key}`, turn => takeLease(turn, key))
    case 'commit': return by(`commits k${key}`, turn => commit(turn, key))
    case 'fill': return by(`fills k${key} with what it has committed`, turn => store(turn, key))
    default: return by(`the write of k${key} resolves`, turn => resolve(turn, { drop: key }))
  }
}

function takeTags ({ scene, world, call, index }: Turn, key: number): void {
  const token = fresh(call, index)
  call.write = { token, nonces: scene.keys[key]!.map(tag => mint(scene, world, tag, fresh(call, index))) }
  call.step = 'open'
}

function takeLease ({ world, call }: Turn, key: number): void {
  open(world, key, call.write!.token)
  call.step = 'commit'
}

function commit ({ world, call }: Turn, key: number): void {
  call.version = ++world.commits
  world.rows[key] = call.version
  call.step = 'fill'
}

function store (turn: Turn, key: number): void {
  const { scene, world, call } = turn
  const { token, nonces } = call.write!
  world.executed[key] = Math.max(world.executed[key]!, call.version!)
  fillOver(scene, world, key, { id: token, version: call.version!, nonces })
  call.step = 'resolve'
  if (scene.local !== true) resolve(turn, { drop: key })
}
