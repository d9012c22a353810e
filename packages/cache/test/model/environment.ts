import type { Step } from '@respite/testing'
import { spoilKey, spoilTag } from './ending.ts'
import { pushKey, pushTag } from './redis.ts'
import { type Luck, type Scene, type World, keysOf, missing } from './world.ts'

/** What happens to the calls rather than through them: expiry, loss, the connection for pushes. */
export function environment (scene: Scene, world: World): Step<World>[] {
  return [...losses(scene, world), ...world.processes.flatMap((_, process) => scene.local === true ? connection(scene, world, process) : [])]
}

function losses (scene: Scene, world: World): Step<World>[] {
  const { luck, leases, values, tags, clock } = world
  const steps: Step<World>[] = []
  const may = (fault: keyof Luck, label: string, act: (world: World) => void) => {
    if (luck[fault] > 0) steps.push({ label, act: after => { after.luck[fault]--; act(after) } })
  }
  for (const [key, lease] of leases.entries()) if (lease !== missing) may('leaseExpiry', `the lease of k${key} expires`, after => { after.leases[key] = missing })
  for (const [key, value] of values.entries()) if (value !== null) may('eviction', `k${key} is evicted`, after => { after.values[key] = null; pushKey(after, key) })
  for (const [tag, record] of tags.entries()) if (record !== null) may('tagLoss', `the record of t${tag} is lost`, after => { after.tags[tag] = null; pushTag(scene, after, tag) })
  if (clock !== null) may('clockLoss', 'the clock is lost', after => { after.clock = null; after.clocksLost++ })
  return steps
}

function connection (scene: Scene, world: World, at: number): Step<World>[] {
  const { tracked, armed, pushes } = world.processes[at]!
  const grows = scene.without === 'a mark carries the generation' ? 0 : 1
  const steps: Step<World>[] = []
  for (const [queue, waiting] of pushes.entries()) if (waiting.length > 0) steps.push({ label: `process ${at} receives a push`, act: after => deliver(scene, after, at, queue) })
  if (tracked && armed && world.luck.disconnect > 0) {
    steps.push({ label: `the tracking connection of process ${at} breaks`, act: ({ processes, luck }) => { luck.disconnect--; Object.assign(processes[at]!, { tracked: false, pushes: [[], []] }) } })
  }
  if (!tracked && armed) steps.push({ label: `process ${at} notices the loss`, act: after => notice(scene, after, at, grows) })
  if (!tracked && !armed) steps.push({ label: `process ${at} is tracked again`, act: after => { after.processes[at]!.tracked = true } })
  if (tracked && !armed) steps.push({ label: `process ${at} learns that it is`, act: after => { after.processes[at]!.armed = true; after.processes[at]!.generation += grows } })
  return steps
}

function deliver (scene: Scene, world: World, at: number, queue: number): void {
  const process = world.processes[at]!
  const [which, covered] = process.pushes[queue]!.shift()!
  if (queue === 0) spoilKey(scene, world, at, which)
  else spoilTag(scene, world, at, which)
  for (const key of queue === 0 ? [which] : keysOf(scene, which)) process.floors[key] = Math.max(process.floors[key]!, covered)
}

function notice (scene: Scene, world: World, at: number, grows: number): void {
  const process = world.processes[at]!
  process.armed = false
  process.generation += grows
  process.copies = process.copies.map(() => null)
  process.nonces = process.nonces.map(() => missing)
  process.floors = process.floors.map((_, key) => world.executed[key]!)
}
