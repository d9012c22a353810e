import type { FastifyReply } from 'fastify'
import type { Ask } from '../limiter.ts'
import type { HeaderForm } from '../options.ts'
import type { Outcome } from '../stores/store.ts'
import type { Pending } from './pending.ts'

/** What a client is told of one limit. */
export interface Budget { readonly ask: Ask, readonly answer: Outcome }

/** Writes the budget of a request, by this question and those before it, into its response. */
export type WriteBudgets = (reply: FastifyReply, last: Pending) => void

/** What is known of a question's limits, and of those before it. */
export function budgetsOf (last: Pending): Budget[] {
  const budgets: Budget[] = []
  for (let pending: Pending | undefined = last; pending !== undefined; pending = pending.previous) {
    for (let i = pending.asks.length - 1; i >= 0; i--) budgets.push({ ask: pending.asks[i]!, answer: pending.ruling!.answers[i]! })
  }
  return budgets.length === 1 ? budgets : budgets.reverse()
}

const writers: Record<HeaderForm, (reply: FastifyReply, budgets: readonly Budget[]) => void> = { 'x-ratelimit': writeCommon, draft: writeDraft }
const written: Record<HeaderForm, readonly string[]> = {
  'x-ratelimit': ['x-ratelimit-limit', 'x-ratelimit-remaining', 'x-ratelimit-reset'],
  draft: ['ratelimit-policy', 'ratelimit']
}

/** Makes the writer of the headers that are wanted. */
export function budgetHeaders (forms: readonly HeaderForm[]): WriteBudgets {
  const wanted = forms.map(form => writers[form])
  const names = forms.flatMap(form => written[form])
  return (reply, last) => {
    let known: readonly Budget[] = budgetsOf(last)
    // While the store is away nobody knows the budget.
    if (!known.every(isKnown)) known = known.filter(isKnown)
    if (known.length > 0) for (const write of wanted) write(reply, known)
    // What an earlier question has written was given back.
    else for (const name of names) reply.removeHeader(name)
  }
}

const isKnown = ({ answer }: Budget) => answer.by === 'store'

/** Whole seconds, rounded up: who waits them out has waited long enough. */
export const seconds = (ms: number) => Math.ceil(ms / 1_000)

// Of several limits the one that is the next to refuse.
function writeCommon (reply: FastifyReply, budgets: readonly Budget[]): void {
  const { ask, answer } = budgets.length === 1 ? budgets[0]! : budgets.reduce((tightest, one) => isTighter(one, tightest) ? one : tightest)
  reply.header('x-ratelimit-limit', ask.rule.capacity)
  reply.header('x-ratelimit-remaining', answer.remaining)
  reply.header('x-ratelimit-reset', seconds(answer.resetMs))
}

function isTighter (one: Budget, other: Budget): boolean {
  if (one.answer.waitMs !== other.answer.waitMs) return one.answer.waitMs > other.answer.waitMs
  if (one.answer.remaining !== other.answer.remaining) return one.answer.remaining < other.answer.remaining
  return one.answer.resetMs > other.answer.resetMs
}

/** @see draft-ietf-httpapi-ratelimit-headers-10 */
function writeDraft (reply: FastifyReply, budgets: readonly Budget[]): void {
  reply.header('ratelimit-policy', budgets.map(({ ask: { rule } }) => `${quoted(rule.name)};q=${rule.limit};${rule.algorithm === 'concurrency' ? 'qu="concurrent-requests"' : `w=${seconds(rule.windowMs)}`}`).join(', '))
  reply.header('ratelimit', budgets.map(({ ask, answer }) => `${quoted(ask.rule.name)};r=${answer.remaining};t=${seconds(untilMore(answer))}`).join(', '))
}

/** Of a limit that refused, until it has room; of the others, until all of it is free. */
const untilMore = ({ waitMs, resetMs }: Outcome) => waitMs === 0 || waitMs === Infinity ? resetMs : waitMs

/** A string of RFC 9651, section 3.3.3: printable ASCII alone, so the rest is percent-encoded. */
const quoted = (text: string) => `"${text.toWellFormed().replace(/[^\x20-\x7e]+/gu, encodeURIComponent).replace(/["\\]/g, '\\$&')}"`
