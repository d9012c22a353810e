import { type Outcome, type Step, explore } from '@respite/testing'
import { ending } from './ending.ts'
import { environment } from './environment.ts'
import { reading } from './reading.ts'
import { writing } from './writing.ts'
import { type Scene, type World, opOf, worldOf } from './world.ts'

/** Walks all interleavings of a scene. */
export function walk (scene: Scene): Outcome {
  return explore(worldOf(scene), world => [...world.calls.flatMap((_, index) => callSteps(scene, world, index)), ...environment(scene, world)])
}

function callSteps (scene: Scene, world: World, index: number): Step<World>[] {
  const op = opOf(scene, world.calls[index]!, index)
  if (op === undefined) return []
  if ('write' in op) return writing(scene, world, index, op.write)
  return 'read' in op ? reading(scene, world, index, op.read) : ending(scene, world, index, op)
}
