import { Fingerprints } from './fingerprints.ts'

/** Something that may happen next, to a world of its own. */
export interface Step<World> {
  readonly label: string
  readonly act: (world: World) => void
}

/** A world that can be copied by its properties and says what is wrong with it. */
export interface Explorable { broken: string }

export interface Outcome {
  /** What was broken; '' when nothing can be, within these bounds. */
  readonly broken: string
  /** The shortest way there. */
  readonly trace: readonly string[]
  readonly states: number
  readonly transitions: number
}

/**
 * Walks every interleaving, breadth first, so that the first broken world is one of the nearest.
 * @param stepsOf - all that may happen next
 * @param maxStates - more of them are an error: what was not walked is not proven
 */
export function explore<World extends Explorable> (start: World, stepsOf: (world: World) => Step<World>[], maxStates = 2_000_000): Outcome {
  const fingerprints = new Fingerprints()
  const seen = new Set([fingerprints.of(start)])
  const parents = [-1]
  const labels = ['']
  let transitions = 0
  const outcome = (broken: string, at: number) => ({ broken, trace: traceTo(at, parents, labels), states: parents.length, transitions })
  for (let layer = [{ id: 0, world: start }], next: typeof layer; layer.length > 0; layer = next) {
    next = []
    for (const { id, world } of layer) {
      for (const { label, act } of stepsOf(world)) {
        transitions++
        const after = copy(world)
        act(after)
        const print = fingerprints.of(after)
        if (seen.has(print)) continue
        seen.add(print)
        const born = parents.push(id) - 1
        labels.push(label)
        if (after.broken !== '') return outcome(after.broken, born)
        if (born >= maxStates) throw new RangeError(`more than ${maxStates} states`)
        next.push({ id: born, world: after })
      }
    }
  }
  return outcome('', 0)
}

function traceTo (state: number, parents: readonly number[], labels: readonly string[]): string[] {
  const trace: string[] = []
  for (let at = state; at > 0; at = parents[at]!) trace.unshift(labels[at]!)
  return trace
}

function copy<T> (value: T): T {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(copy) as T
  const twin = { ...value } as Record<string, unknown>
  for (const name in twin) if (typeof twin[name] === 'object') twin[name] = copy(twin[name])
  return twin as T
}
