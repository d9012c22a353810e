import { type Lease, type ModelContent, type ModelGate, ScriptsModel } from '../lua/scripts-model.ts'
import { tell } from './near.ts'
import { type Command, type Guard, type Scene, type World, grace } from './world.ts'

/** Runs a command on the scripts' model, which is proven to answer as Redis does. */
export function execute (scene: Scene, world: World, [name, ...args]: Command): unknown {
  const { redis, now } = world
  const before = scene.l1 === true ? structuredClone(redis) : undefined
  const scripts = scene.without === undefined ? new ScriptsModel(redis, now) : new WithoutOne(scene.without, redis, now)
  const reply = (scripts[name] as (...args: unknown[]) => unknown).apply(scripts, args)
  if (before !== undefined) tell(world, before)
  return reply
}

/** The scripts with one guard left out. */
class WithoutOne extends ScriptsModel {
  readonly #without: Guard

  constructor (without: Guard, ...state: ConstructorParameters<typeof ScriptsModel>) {
    super(...state)
    this.#without = without
  }

  override read (hash: string, fresh: string, era: string): unknown[] {
    const { gate } = this.redis
    if (this.#without === 'Redis is believed within one era' && gate !== null) gate.e = era
    return super.read(hash, this.#without === 'a lineage is random' ? 'always the same' : fresh, era)
  }

  override fill (hash: string, lease: Lease, content: ModelContent): number {
    if (this.#without !== 'a fill asks for its lease') return super.fill(hash, lease, content)
    if (this.copy(hash)?.x) return 0
    this.redis.gate ??= { n: lease.n, g: 0, e: '1' }
    this.put(hash, this.redis.gate.n, content)
    return 1
  }

  override kill (hashes: readonly string[], dead: readonly boolean[]): number {
    const done = super.kill(hashes, dead)
    if (this.#without === 'a kill advances the gate' && this.redis.gate !== null) this.redis.gate.g--
    return done
  }

  /** Refuses only an epoch lower than the gate has seen: here the lease's `g` is the epoch. */
  override activate (hash: string, victims: readonly string[], lease: Lease, content: ModelContent): number {
    if (this.#without !== 'activate asks for its lease') return super.activate(hash, victims, lease, content)
    for (const victim of victims) this.bury(victim)
    const gate: ModelGate & { epoch?: number } = this.redis.gate ??= { n: lease.n, g: 0, e: '1' }
    if ((gate.epoch ?? 0) > lease.g) return 0
    gate.epoch = lease.g
    gate.g++
    if (!this.copy(hash)?.x) this.put(hash, gate.n, content)
    return 1
  }

  override save (hash: string, v: number, set: Record<string, string>, deleted: readonly string[]): number {
    const copy = this.copy(hash)
    if (this.#without === 'a save never creates' && (copy === undefined || copy.x)) {
      this.redis.gate ??= { n: 'n', g: 0, e: '1' }
      this.put(hash, this.redis.gate.n, { v, f: set, ttl: 1 })
      return 1
    }
    if (this.#without !== 'a save extends the version before it' || copy === undefined || copy.x) return super.save(hash, v, set, deleted)
    Object.assign(copy.f, set)
    copy.v = Math.max(copy.v, v)
    return 1
  }

  override rotate (old: string, next: string, lease: Lease, content: ModelContent): number {
    const copy = this.copy(old)
    const done = super.rotate(old, next, lease, content)
    if (this.#without === 'a superseded copy goes' && copy !== undefined && !copy.x) {
      this.redis.copies[old] = { ...copy, until: Math.min(copy.until ?? 0, this.now + grace) }
    }
    return done
  }
}
