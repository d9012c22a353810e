import type { Step } from '@respite/testing'
import type { ModelContent } from '../lua/scripts-model.ts'
import { execute } from './redis.ts'
import { type Call, type Command, type Plan, type Process, type Scene, type World, unknownHash } from './world.ts'

/** One call's view of a world of its own. */
export class Turn<P extends Plan = Plan> {
  readonly scene: Scene
  readonly world: World
  readonly index: number
  readonly plan: P

  constructor (scene: Scene, world: World, index: number) {
    this.scene = scene
    this.world = world
    this.index = index
    this.plan = scene.calls[index] as P
  }

  get call (): Call { return this.world.calls[this.index]! }
  get process (): Process { return this.world.processes[this.plan.process]! }

  /** The call is over: what it knew is forgotten, so that worlds that differ in nothing else are one. */
  over (outcome = ''): void {
    this.world.calls[this.index] = { step: 'over', outcome }
  }

  accept (): void {
    const { hash } = this.plan
    if (this.call.forbidden) this.world.broken = `${this.call.forbidden}: ${hash} is accepted by process ${this.plan.process}`
    if (hash === unknownHash) this.world.broken = `S5: ${hash}, which nobody has issued, is accepted`
  }

  /** From now on these hashes must be refused to every request that comes. */
  ends (hashes: readonly string[], property: 'S1' | 'S2'): void {
    for (const hash of hashes) this.world.ended[hash] ??= property
  }

  /** What the row as it was read gives a copy. */
  get content (): ModelContent {
    const { version, data, until } = this.call.row!
    return { v: version, f: data, ttl: until - this.world.now }
  }
}

type Act = (turn: Turn) => void

/** One thing that a process does by itself. */
export function local (turn: Turn, label: string, act: Act): Step<World>[] {
  return [{ label: `${nameOf(turn)} ${label}`, act: world => act(new Turn(turn.scene, world, turn.index)) }]
}

/** One transaction; where faults are left it may fail before or after its commit, which the caller cannot tell. */
export function statement (turn: Turn, label: string, act: Act, fails: Act = turn => turn.over('failed')): Step<World>[] {
  const steps = local(turn, label, act)
  if (turn.world.luck.sqlError === 0) return steps
  const unlucky = (what: string, act: Act) => steps.push(...local(turn, `${label}: ${what}`, turn => { turn.world.luck.sqlError--; act(turn) }))
  unlucky('fails', fails)
  unlucky('commits, and seems to fail', turn => { act(turn); if (turn.call.step !== 'over') fails(turn) })
  return steps
}

/** One script; where faults are left it may time out, and run whenever it likes or never. */
export function script (turn: Turn, command: (turn: Turn) => Command, answered: (turn: Turn, reply: unknown) => void, unanswered: Act): Step<World>[] {
  const [name] = command(turn)
  const steps = local(turn, name, turn => answered(turn, execute(turn.scene, turn.world, command(turn))))
  if (turn.world.luck.timeout === 0) return steps
  return [...steps, ...local(turn, `${name} times out`, turn => {
    turn.world.luck.timeout--
    turn.world.late.push(command(turn))
    unanswered(turn)
  })]
}

const nameOf = ({ plan }: Turn): string => `process ${plan.process}: ${plan.op}${plan.hash === undefined ? '' : ` ${plan.hash}`}:`
