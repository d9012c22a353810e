import { estimate } from './hyperloglog/estimate.ts'
import { Registers } from './hyperloglog/registers.ts'

/** Distinct ids that were kept one by one, or are too many for that; a keyed id is 8 bytes as latin1. */
export type Sketch = { readonly ids: ReadonlySet<string> } | { readonly registers: Registers }

/** A number of distinct ids. */
export interface Cardinality {
  readonly value: number
  readonly exact: boolean
}

/** Distinct ids up to which a count is exact. */
export const exactUpTo = 256

/** The ids of all sketches: as a union of ids while they are few, else from the raw registers. */
export function unionOf (sketches: readonly Sketch[]): Sketch {
  const ids = new Set<string>()
  if (sketches.every(sketch => 'ids' in sketch && gather(ids, sketch.ids))) return { ids }
  const registers = new Registers()
  for (const sketch of sketches) {
    if ('ids' in sketch) for (const id of sketch.ids) registers.add(Buffer.from(id, 'latin1'))
    else registers.merge(sketch.registers)
  }
  return { registers }
}

/** How many ids a sketch stands for. */
export function cardinalityOf (sketch: Sketch): Cardinality {
  return 'ids' in sketch ? { value: sketch.ids.size, exact: true } : { value: estimate(sketch.registers.histogram()), exact: false }
}

function gather (into: Set<string>, ids: ReadonlySet<string>): boolean {
  for (const id of ids) into.add(id)
  return into.size <= exactUpTo
}
