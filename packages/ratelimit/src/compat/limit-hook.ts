import type { FastifyReply, FastifyRequest } from 'fastify'
import type { HeaderChoice } from './options.ts'
import type { Labels } from './settings.ts'
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
    const { labels, addHeadersOnExceeding: shown, onExceeding } = limit.settings
    writeBudget(reply, standing, { labels, shown })
    onExceeding?.(request, standing.key)
  }
}

function writeBudget (reply: FastifyReply, { max, remaining, ttlInSeconds }: Counted, { labels, shown }: { labels: Labels, shown: HeaderChoice }): void {
  if (shown[labels.rateLimit]) reply.header(labels.rateLimit, max)
  if (shown[labels.rateRemaining]) reply.header(labels.rateRemaining, remaining)
  if (shown[labels.rateReset]) reply.header(labels.rateReset, ttlInSeconds)
}

/** What is thrown. */
async function refused ({ settings }: CompatLimit, standing: Counted, { request, reply }: { request: FastifyRequest, reply: FastifyReply }): Promise<unknown> {
  const { labels, addHeaders: shown, onExceeded, onBanReach, errorResponseBuilder } = settings
  const { key, max, ttl, ttlInSeconds, isBanned } = standing
  onExceeded?.(request, key)
  writeBudget(reply, standing, { labels, shown })
  if (shown[labels.retryAfter]) reply.header(labels.retryAfter, ttlInSeconds)
  const after = timeText(ttlInSeconds * 1_000)
  const statusCode = isBanned ? 403 : 429
  if (isBanned) onBanReach?.(request, key)
  const built: unknown = await errorResponseBuilder?.(request, { statusCode, ban: isBanned, max, ttl, after })
  // Fastify takes a hook that throws nothing for one that has no objection.
  return built ?? new RateLimitExceeded(after, statusCode)
}
