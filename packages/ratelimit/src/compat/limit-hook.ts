import type { FastifyReply, FastifyRequest } from 'fastify'
import { type CompatLimit, type Counted, standingOf } from './standing.ts'
import { timeText } from './time-text.ts'

/** The property of a request that says that a registration has counted it. */
export type Ran = symbol

/** Counts a request; throws when it is refused. */
export type LimitHook = (request: FastifyRequest, reply: FastifyReply) => Promise<void>

// Without a code, so that the body is theirs to the byte.
class RateLimitExceeded extends Error {
  readonly statusCode: number

  constructor (after: string, statusCode: number) {
    super(`Rate limit exceeded, retry in ${after}`)
    this.statusCode = statusCode
  }
}

/** Makes the hook of a limit. */
export function limitHook (limit: CompatLimit, ran: Ran): LimitHook {
  return async (request, reply) => {
    const marked = request as unknown as Record<Ran, boolean>
    if (marked[ran]) return
    marked[ran] = true
    const standing = await standingOf(limit, request)
    if (standing.isAllowed) return
    if (standing.isExceeded) throw await refused(limit, standing, { request, reply })
    writeBudget(limit, standing, reply)
    limit.settings.onExceeding?.(request, standing.key)
  }
}

function writeBudget ({ settings: { labels, addHeadersOnExceeding: shown } }: CompatLimit, { max, remaining, ttlInSeconds }: Counted, reply: FastifyReply): void {
  if (shown[labels.rateLimit]) reply.header(labels.rateLimit, max)
  if (shown[labels.rateRemaining]) reply.header(labels.rateRemaining, remaining)
  if (shown[labels.rateReset]) reply.header(labels.rateReset, ttlInSeconds)
}

function writeRefusal ({ settings: { labels, addHeaders: shown } }: CompatLimit, { max, ttlInSeconds }: Counted, reply: FastifyReply): void {
  if (shown[labels.rateLimit]) reply.header(labels.rateLimit, max)
  if (shown[labels.rateRemaining]) reply.header(labels.rateRemaining, 0)
  if (shown[labels.rateReset]) reply.header(labels.rateReset, ttlInSeconds)
  if (shown[labels.retryAfter]) reply.header(labels.retryAfter, ttlInSeconds)
}

/** What is thrown. */
async function refused (limit: CompatLimit, standing: Counted, { request, reply }: { request: FastifyRequest, reply: FastifyReply }): Promise<unknown> {
  const { onExceeded, onBanReach, errorResponseBuilder } = limit.settings
  const { key, max, ttl, ttlInSeconds, isBanned } = standing
  onExceeded?.(request, key)
  writeRefusal(limit, standing, reply)
  const after = timeText(ttlInSeconds * 1_000)
  const statusCode = isBanned ? 403 : 429
  if (isBanned) onBanReach?.(request, key)
  const built: unknown = await errorResponseBuilder?.(request, { statusCode, ban: isBanned, max, ttl, after })
  // Fastify takes a hook that throws nothing for one that has no objection.
  return built ?? new RateLimitExceeded(after, statusCode)
}
