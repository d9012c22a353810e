/** What one measurement of a candidate gave. */
export interface Sample {
  /** Requests or operations a second. */
  perSecond: number
  p99Ms: number
  /** What the candidate sent to Redis for each request or operation; 0 where it has none. */
  redisCallsPerRequest: number
  /** Whatever else the scenario measures, by a name that carries its unit; becomes a column and a field of the result. */
  figures?: Readonly<Record<string, number>>
  /** One line for people, such as which commands were sent. */
  note?: string
}

/** A candidate that is running and ready to be measured again and again. */
export interface Subject {
  measure (seconds: number): Promise<Sample>
  stop (): Promise<void>
}

/** What is compared: `bare`, a library by its package name, `peers`, `respite` or `respite-<variant>`. */
export interface Candidate {
  readonly name: string
  /** Starts it, checks that it really does its duties, and warms it up. */
  start (options: StartOptions): Promise<Subject>
}

export interface StartOptions {
  warmupSeconds: number
  /** Further arguments for the candidate's own Node process, such as `--cpu-prof`. */
  nodeArguments: readonly string[]
}

/** A ratio that the scenario is there to show. */
export interface Target {
  /** Our candidate over another one. */
  over: string
  atLeast: number
}

/** A bound on what one of ours takes: of a figure, of `redisCallsPerRequest` or of `p99Ms`. */
export interface Bound {
  candidate: string
  figure: string
  atMost: number
  /** Beyond what this candidate takes, measured in the same round: the median of the rounds. @default none: all of it, in the worst round */
  beyond?: string
}

export interface Scenario {
  readonly name: string
  /** One sentence: what is done, and who is compared. */
  readonly about: string
  readonly unit: 'rps' | 'opsPerSecond'
  readonly candidates: readonly Candidate[]
  readonly targets: readonly Target[]
  /** @default none */
  readonly bounds?: readonly Bound[]
}
