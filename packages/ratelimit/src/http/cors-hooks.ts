import type { FastifyReply, FastifyRequest } from 'fastify'

type Next = (error?: unknown) => void
/** A hook of `@fastify/cors` on a route. */
type CorsHook = (request: FastifyRequest, reply: FastifyReply, next: Next) => void
/** What Fastify keeps of a route: the hooks of its context and its own, in their order. */
type RouteContext = Partial<Record<typeof lists[number], readonly ((...args: unknown[]) => void)[] | null>>

/** What `@fastify/cors` calls its hook, and Fastify binds to the context. */
const bound = 'bound handleCors'
/** Where it can be told to put it. */
const lists = ['onRequest', 'preParsing', 'preValidation', 'preHandler', 'preSerialization'] as const
const withPayload: readonly string[] = ['preParsing', 'preSerialization']

let contextKey: symbol | undefined
const known = new WeakMap<RouteContext, readonly CorsHook[]>()

/**
 * Lets `@fastify/cors` write its headers on an answer that goes out before its hook would run, since it was registered after the
 * limits: a browser shows a page no 429 without them, nor its `retry-after`. That hook alone: whatever else comes after the limits,
 * such as a look at a password, is not for who is refused. Fastify 5.12 keeps a route's hooks under a symbol of the description
 * `fastify.context`; where there is none, an answer has the headers of the hooks before.
 */
export function withCorsHeaders (request: FastifyRequest, reply: FastifyReply, then: () => void): void {
  // A preflight is answered by the hook itself.
  const hooks = request.method === 'OPTIONS' || reply.hasHeader('access-control-allow-origin') ? none : hooksOf(request)
  runFrom(0, hooks, { request, reply, then })
}

const none: readonly CorsHook[] = []

function runFrom (at: number, hooks: readonly CorsHook[], run: { request: FastifyRequest, reply: FastifyReply, then: () => void }): void {
  const hook = hooks[at]
  if (hook === undefined) {
    run.then()
    return
  }
  let isOver = false
  // The refusal stands, whatever becomes of its headers.
  const next = () => {
    if (isOver) return
    isOver = true
    runFrom(at + 1, hooks, run)
  }
  try {
    hook(run.request, run.reply, next)
  } catch {
    next()
  }
}

function hooksOf (request: FastifyRequest): readonly CorsHook[] {
  contextKey ??= Object.getOwnPropertySymbols(request).find(symbol => symbol.description === 'fastify.context')
  const context = contextKey === undefined ? undefined : (request as unknown as Record<symbol, RouteContext | undefined>)[contextKey]
  if (context === undefined) return none
  const found = known.get(context) ?? lists.flatMap(list => corsHooksOf(context[list] ?? [], withPayload.includes(list)))
  known.set(context, found)
  return found
}

function corsHooksOf (hooks: readonly ((...args: unknown[]) => void)[], hasPayload: boolean): CorsHook[] {
  return hooks.filter(({ name }) => name === bound)
    .map(hook => hasPayload ? (request, reply, next) => hook(request, reply, undefined, next) : hook as unknown as CorsHook)
}
