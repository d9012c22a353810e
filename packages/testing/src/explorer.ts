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
  const seen = new Set([fingerprint(JSON.stringify(start))])
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
        const print = fingerprint(JSON.stringify(after))
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
  const twin: Record<string, unknown> = {}
  for (const name in value) twin[name] = copy(value[name])
  return twin as T
}

/** 53 bits of a state's text (two FNV-1a): among a million states two are taken for one with a chance of one in ten thousand. */
function fingerprint (text: string): number {
  let a = 0x811c9dc5
  let b = 0x01234567
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    a = Math.imul(a ^ unit, 0x01000193)
    b = Math.imul(b ^ unit, 0x5bd1e995) ^ (b >>> 13)
  }
  a = Math.imul(a ^ (a >>> 16), 0x85ebca6b)
  b = Math.imul(b ^ (b >>> 15), 0xc2b2ae35)
  return ((a ^ (a >>> 13)) >>> 0) * 2 ** 21 + ((b ^ (b >>> 16)) >>> 11)
}
