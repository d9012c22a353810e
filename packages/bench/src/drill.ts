/** The last line of a drill. */
export interface DrillResult {
  drill: string
  /** True when nothing that must hold was broken. */
  ok: boolean
  /** How much was tried: requests, reads and writes, whatever the drill counts. */
  operations: number
  /** What was broken, each as one sentence; the first hundred. */
  violations: readonly string[]
  /** What was measured, by names that carry their unit. */
  figures: Readonly<Record<string, number>>
}

export interface DrillOptions {
  quick: boolean
  seed: number
  /** Undefined: the drill's own. */
  operations: number | undefined
  seconds: number | undefined
  print (text: string): void
}

/** A fault drill: something breaks on purpose, and what must hold is counted. */
export interface Drill {
  readonly name: string
  /** One sentence: what is broken, and what must hold. */
  readonly about: string
  run (options: DrillOptions): Promise<DrillFindings>
}

/** What a drill found. */
export interface DrillFindings {
  operations: number
  violations: readonly string[]
  figures: Readonly<Record<string, number>>
}

/** A drill in which nothing was tried proves nothing. */
export async function runDrill (drill: Drill, options: DrillOptions): Promise<DrillResult> {
  options.print(`${drill.name}: ${drill.about}`)
  const { operations, violations, figures } = await drill.run(options)
  const all = operations > 0 ? violations : ['nothing was tried', ...violations]
  return { drill: drill.name, ok: all.length === 0, operations, violations: all.slice(0, 100), figures }
}
