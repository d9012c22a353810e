import { LRUCache } from 'lru-cache'
import { isSameRule, type Rule } from '../rule.ts'
import { countName } from '../subject.ts'
import { askedOf, type Check, type Outcome, type Verdict } from '../stores/store.ts'

/** When a question left and its answer came, by the monotonic clock, in ms. */
export interface Asked { readonly sentMs: number, readonly receivedMs: number }

/** What the store said of a cost, with the headroom that was asked for beside it. */
interface Said extends Asked {
  readonly cost: number
  readonly outcome: Outcome
  /** From then on it may be otherwise: the earliest admission, or for a limit that had room that of those who had none. */
  readonly untilMs: number
}

/** What is known of a rule and subject. */
interface Known {
  readonly rule: Rule
  /** The newest first. */
  readonly said: readonly Said[]
}

const remembered = 20_000
/** Costs of one limit and subject, which are as many as its routes have. */
const costsAtMost = 4

/**
 * What the store has refused, until it would admit it: nobody but a refund, a reset or another rule makes that earlier. Who is
 * dropped from here is asked for again, so a flood of keys costs calls and frees nobody.
 */
export class Refusals {
  readonly #known = new LRUCache<string, Known>({ max: remembered })
  /** When a subject was freed: an answer that is older than that says nothing. */
  readonly #freedMs = new LRUCache<string, number>({ max: remembered })

  get size (): number { return this.#known.size }

  /** The verdict, if one of these is refused for sure and of the others it is known what the store said beside it. */
  recall (checks: readonly Check[], nowMs: number): Verdict | undefined {
    let refused = false
    const outcomes: Outcome[] = []
    for (const check of checks) {
      const said = this.#find(check, nowMs)
      if (said === undefined) return undefined
      refused ||= said.outcome.waitMs > 0
      outcomes.push(counted(said, nowMs))
    }
    return refused ? { allowed: false, outcomes } : undefined
  }

  /** Keeps what a refused question was told. */
  remember (checks: readonly Check[], { outcomes }: Verdict, asked: Asked): void {
    const waits = outcomes.map(({ waitMs }, i) => holdsMs(checks[i]!.rule, waitMs))
    const longestMs = Math.max(...waits)
    checks.forEach((check, i) => {
      const name = countName(check.rule.name, check.subject)
      const units = askedOf(check)
      // Of a refusal that holds for no time nothing is kept.
      const isTold = waits[i]! > 0 || outcomes[i]!.waitMs === 0
      if (!isTold || (this.#freedMs.get(name) ?? -Infinity) >= asked.sentMs) return
      const known = this.#known.get(name)
      const before = known !== undefined && isSameRule(known.rule, check.rule) ? known.said.filter(({ cost }) => cost !== units) : []
      const untilMs = asked.sentMs + (waits[i]! || longestMs)
      const said = [{ ...asked, cost: units, outcome: outcomes[i]!, untilMs }, ...before]
      this.#known.set(name, { rule: check.rule, said: said.slice(0, costsAtMost) })
    })
  }

  /** Something was given back to a subject, or all is forgotten of it. */
  free (limit: string, subject: string, nowMs: number): void {
    const name = countName(limit, subject)
    this.#known.delete(name)
    this.#freedMs.set(name, nowMs)
  }

  clear (): void {
    this.#known.clear()
  }

  #find (check: Check, nowMs: number): Said | undefined {
    const { rule, subject } = check
    const known = this.#known.get(countName(rule.name, subject))
    if (known === undefined || !isSameRule(known.rule, rule)) return undefined
    return known.said.find(said => nowMs < said.untilMs && speaksOf(said, rule, askedOf(check)))
  }
}

/** How long a refusal holds for sure. */
function holdsMs ({ algorithm, capacity, windowMs }: Rule, waitMs: number): number {
  // A slot may be given back at any moment.
  if (algorithm === 'concurrency') return 0
  // In whole milliseconds, the one that has begun included.
  if (waitMs < Infinity) return Math.max(0, waitMs - 1)
  // A limit of 0 has no room while it is one. Who asks for more than a limit is told what is left, which changes.
  return capacity === 0 ? windowMs : 0
}

// A smaller cost may fit earlier, and a larger one must wait longer. In a window nothing is free before its end.
function speaksOf ({ cost: refused, outcome }: Said, { algorithm, capacity }: Rule, cost: number): boolean {
  if (cost === refused || capacity === 0) return true
  return algorithm === 'fixed-window' && outcome.waitMs > 0 && cost > outcome.remaining && cost <= capacity
}

// The server decided after the sending, so nobody is refused here for longer than there; and before the answer came, so who waits as long as is told has waited long enough.
function counted ({ outcome, sentMs, receivedMs }: Said, nowMs: number): Outcome {
  const { remaining, waitMs, resetMs, atMs, by } = outcome
  const left = (ms: number) => Math.ceil(Math.max(0, receivedMs + ms - nowMs))
  return { remaining, waitMs: waitMs === 0 ? 0 : Math.max(1, left(waitMs)), resetMs: left(resetMs), atMs: atMs + Math.floor(nowMs - sentMs), by }
}
