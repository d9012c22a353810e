import { type Outcome, type Step, explore } from '@respite/testing'
import { save, touch } from './changing.ts'
import { environment } from './environment.ts'
import { login } from './login.ts'
import { logout } from './logout.ts'
import { poll, sweep } from './polling.ts'
import { verdict } from './properties.ts'
import { request } from './request.ts'
import { rotate } from './rotation.ts'
import { Turn } from './turn.ts'
import { type Plan, type Scene, type World, worldOf } from './world.ts'

const stepsOf: Record<Plan['op'], (turn: Turn) => Step<World>[]> = { request, logout, login, save, touch, rotate, sweep, poll }

/** Walks all interleavings of a scene. */
export function walk (scene: Scene): Outcome {
  const steps = (world: World) => [...scene.calls.flatMap((plan, index) => callSteps(scene, world, plan, index)), ...environment(scene, world)]
  return explore(worldOf(scene), world => steps(world).map(judged(scene)))
}

function callSteps (scene: Scene, world: World, { op, after }: Plan, index: number): Step<World>[] {
  if (world.calls[index]!.step === 'over' || (after !== undefined && world.calls[after]!.step !== 'over')) return []
  return stepsOf[op](new Turn(scene, world, index))
}

const judged = (scene: Scene) => ({ label, act }: Step<World>): Step<World> => ({
  label,
  act (world) {
    act(world)
    world.broken ||= verdict(scene, world)
  }
})
