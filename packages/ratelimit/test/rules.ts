import type { AlgorithmName, Rule } from '../src/rule.ts'
import type { Charge, Check, LimitStore, Verdict } from '../src/stores/store.ts'

/** Those that count within a window. */
export type WindowAlgorithm = Exclude<AlgorithmName, 'concurrency'>

export const algorithmNames: readonly WindowAlgorithm[] = ['fixed-window', 'sliding-log', 'sliding-counter', 'gcra']

/** A rule of which all but what matters is given. */
export function rule (algorithm: AlgorithmName, limit: number, { windowMs = 60_000, name = algorithm as string, capacity = limit } = {}): Rule {
  return { name, algorithm, limit, windowMs, capacity }
}

export const check = (of: Rule, subject = 'somebody', cost = 1): Check => ({ rule: of, subject, cost })

export function take (store: LimitStore, ...checks: Check[]): Promise<Verdict> {
  return new Promise((resolve, reject) => store.take(checks, (error, verdict) => error === null ? resolve(verdict!) : reject(error)))
}

export function peek (store: LimitStore, ...checks: Check[]): Promise<Verdict> {
  return new Promise((resolve, reject) => store.peek(checks, (error, verdict) => error === null ? resolve(verdict!) : reject(error)))
}

/** What a verdict has charged. */
export const chargesOf = (checks: readonly Check[], { outcomes }: Verdict): Charge[] => checks.map((check, i) => ({ ...check, atMs: outcomes[i]!.atMs }))

/** How many of so many takes are admitted. */
export async function admitted (store: LimitStore, times: number, make: () => Check): Promise<number> {
  const verdicts = await Promise.all(Array.from({ length: times }, () => take(store, make())))
  return verdicts.filter(({ allowed }) => allowed).length
}

/** How many are admitted of so many that are asked one after the other. */
export async function admittedInTurn (times: number, ask: (i: number) => Promise<{ allowed: boolean }>): Promise<number> {
  let admitted = 0
  for (let i = 0; i < times; i++) if ((await ask(i)).allowed) admitted++
  return admitted
}

/** Units that a store has free for a check's subject. */
export const unitsFree = async (store: LimitStore, of: Check): Promise<number> => (await peek(store, of)).outcomes[0]!.remaining
