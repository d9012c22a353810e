import type { FastifyReply, FastifyRequest } from 'fastify'
import { isPromiseLike } from '@respite/redis'
import { durationText } from '../duration-text.ts'
import { FST_RSP_RATELIMIT_BODY_INVALID, RATE_LIMITED } from '../errors.ts'
import type { Rule } from '../rule.ts'
import { shownValue } from '../shown-value.ts'
import { type Budget, seconds } from './headers.ts'
import { problemOf, problemType, wantsProblem } from './problem.ts'

/** A limit that had no room. */
export interface Violation {
  name: string
  limit: number
  /** Absent with concurrency, which has none. */
  windowMs?: number
  /** It had room, but the process that answers is busy. */
  shed?: true
  /** Too many refusals: nothing is admitted until the ban ends. */
  banned?: true
  /** In seconds, rounded up; absent when it never has room for such a request. */
  retryAfter?: number
}

/** The body of a 429. */
export interface Refusal {
  statusCode: 429
  error: 'Too Many Requests'
  code: 'RATE_LIMITED'
  message: string
  /** The name of the limit with the longest wait. */
  violated: string
  /** All limits that had no room, the longest wait first. */
  violations: Violation[]
  /** Seconds until all of them have room, rounded up; absent when one never has. */
  retryAfter?: number
}

/** Makes the body of a 429, at once: a promise is refused. */
export type ErrorBuilder = (request: FastifyRequest, refusal: Refusal) => object | string

/** What is said of the limits that had no room. */
export function refusalOf (budgets: readonly Budget[]): Refusal {
  const violations = budgets.filter(({ answer }) => answer.waitMs > 0)
    .sort((a, b) => b.answer.waitMs === a.answer.waitMs ? 0 : b.answer.waitMs - a.answer.waitMs)
  const first = violations[0]!
  const { rule } = first.ask
  const retryAfter = retryAfterOf(first)
  const again = retryAfter.retryAfter === undefined ? 'it never admits such a request' : `retry in ${retryAfter.retryAfter} s`
  const span = rule.algorithm === 'concurrency' ? 'at once' : `per ${durationText(rule.windowMs)}`
  return {
    statusCode: 429,
    error: 'Too Many Requests',
    code: RATE_LIMITED,
    message: `Rate limit '${rule.name}' of ${rule.limit} ${span} ${first.answer.shed ? 'lowered under load' : 'exceeded'}, ${again}`,
    violated: rule.name,
    violations: violations.map(violationOf),
    ...retryAfter
  }
}

function violationOf (budget: Budget): Violation {
  const { ask: { rule }, answer: { ban, shed } } = budget
  return { ...violated(rule), ...(shed && { shed }), ...(ban?.waitMs ? { banned: true as const } : {}), ...retryAfterOf(budget) }
}

function violated ({ name, limit, windowMs, algorithm }: Rule): Violation {
  return algorithm === 'concurrency' ? { name, limit } : { name, limit, windowMs }
}

/**
 * Sends a 429.
 * @returns an error that is to be thrown instead: one that the app's builder made or threw, or that kept the answer from going out
 */
export function sendRefusal (request: FastifyRequest, reply: FastifyReply, { refusal, build }: { refusal: Refusal, build: ErrorBuilder | undefined }): Error | undefined {
  if (refusal.retryAfter !== undefined) reply.header('retry-after', refusal.retryAfter)
  if (build === undefined) return sent(reply, wantsProblem(request) ? { type: problemType, text: JSON.stringify(problemOf(refusal)) } : JSON.stringify(refusal))
  const body = built(build, request, refusal)
  return body instanceof Error ? body : sent(reply, body)
}

// Nobody stands above who could catch it: the store has called back. A header that Node refuses to write is enough.
function sent (reply: FastifyReply, body: string | { text: string, type: string }): Error | undefined {
  try {
    // Written here: the schema of the route's answers, or a serializer of its own, is not made for this.
    reply.code(429).type('application/json; charset=utf-8')
    if (typeof body === 'string') reply.send(body)
    else reply.type(body.type).send(body.text)
    return undefined
  } catch (error) {
    return error as Error
  }
}

/** What the app's builder made: JSON, plain text, or an error. */
function built (build: ErrorBuilder, request: FastifyRequest, refusal: Refusal): string | { text: string, type: string } | Error {
  try {
    const body: unknown = build(request, refusal)
    if (typeof body === 'string') return { text: body, type: 'text/plain; charset=utf-8' }
    if (body instanceof Error) return Object.assign(body, { statusCode: (body as { statusCode?: number }).statusCode ?? 429 })
    const isPlain = typeof body === 'object' && body !== null && !isPromiseLike(body)
    const json = isPlain ? JSON.stringify(body) as string | undefined : undefined
    return json ?? new FST_RSP_RATELIMIT_BODY_INVALID('returned', shownValue(body))
  } catch (error) {
    return error instanceof Error ? error : new FST_RSP_RATELIMIT_BODY_INVALID('threw', shownValue(error))
  }
}

// At least a second: a client that tries again within the same one is refused.
function retryAfterOf ({ answer: { waitMs } }: Budget): { retryAfter?: number } {
  return waitMs === Infinity ? {} : { retryAfter: Math.max(1, seconds(waitMs)) }
}
