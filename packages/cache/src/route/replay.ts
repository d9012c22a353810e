import { appended, hitStatus, type Forward } from './cache-status.ts'
import { isNotModified, ofTheBody } from './conditional.ts'
import type { Exchange } from './exchange.ts'
import type { ReadyAnswer } from './ready-answer.ts'
import { ageMs } from './stored-response.ts'

/** How a stored answer was come by. */
export interface Replayed {
  readonly state: 'HIT' | 'MISS' | 'STALE'
  readonly nowMs: number
  /** Where the handler was asked for it. */
  readonly forwarded?: { readonly forward: Forward, readonly status?: number, readonly collapsed?: boolean }
}

const asItIs = (body: unknown) => body as string

/** Answers from what is stored: with 304 where the client has it already. */
export function replay ({ request, reply }: Exchange, { stored, body, headers, vary }: ReadyAnswer, { state, nowMs, forwarded }: Replayed): void {
  const { status, life } = stored
  const age = ageMs(stored, nowMs, state !== 'STALE')
  const same = status === 200 && isNotModified(request.headers, stored)
  for (const [name, value] of headers) if (!(same && ofTheBody.has(name))) reply.header(name, value)
  if (vary !== undefined) reply.header('vary', appended(reply.getHeader('vary'), vary))
  // RFC 9111, 5.1
  reply.header('age', String(Math.floor(age / 1_000)))
  reply.header('x-cache', state)
  reply.header('cache-status', appended(reply.getHeader('cache-status'), hitStatus(life.ageMs + life.freshMs - age, forwarded)))
  // The body was serialised when it was stored; a serializer that a hook has set would do so again.
  reply.serializer(asItIs)
  if (same) reply.code(304).send()
  else reply.code(status).send(body)
}
