/** How admissions are counted. */
export type AlgorithmName = 'fixed-window' | 'sliding-log' | 'sliding-counter' | 'gcra' | 'concurrency'

/** The arithmetic of a limit: what the stores know of it. */
export interface Rule {
  readonly name: string
  readonly algorithm: AlgorithmName
  /** Units a window admits, with concurrency units in flight; 0 refuses all. */
  readonly limit: number
  /** With concurrency: how long a slot is held that its process does not renew. */
  readonly windowMs: number
  /** Units admitted at once at most: the burst of gcra, the limit of the others. A larger cost is never admitted. */
  readonly capacity: number
}

/** Whether two rules of one name count alike. */
export const isSameRule = (a: Rule, b: Rule) => a === b || (a.limit === b.limit && a.windowMs === b.windowMs && a.algorithm === b.algorithm && a.capacity === b.capacity)
