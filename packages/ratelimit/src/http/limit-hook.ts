import type { FastifyReply, FastifyRequest, preHandlerHookHandler } from 'fastify'
import type { Enforced, Enforcer } from './enforcer.ts'
import type { Pending } from './pending.ts'
import type { RouteSet } from './route-limits.ts'

/** Makes a hook that checks limits of all kinds, together. */
export function limitHook (limits: RouteSet, enforcer: Enforcer): preHandlerHookHandler {
  return (request: FastifyRequest, reply: FastifyReply, done: (error?: Error) => void) => {
    if (enforcer.isUncounted(request)) done()
    else {
      checkAll({ limits, enforcer }, request, reply, (error, answered) => {
        if (answered !== true) done(error)
      })
    }
  }
}

/** Checks limits of all kinds, together, once it is known whether the request is exempt. */
export function checkAll ({ limits, enforcer }: { limits: RouteSet, enforcer: Enforcer }, request: FastifyRequest, reply: FastifyReply, done: Enforced): void {
  const settle = (pending: Pending | undefined) => {
    if (pending === undefined) done()
    else enforcer.settle(pending, request, reply, done)
  }
  const pending = enforcer.byAll(limits, request)
  if (pending instanceof Promise) pending.then(settle, (error: unknown) => done(errorOf(error)))
  else settle(pending)
}

// Fastify takes a hook that fails with nothing for one that has no objection.
const errorOf = (thrown: unknown) => thrown instanceof Error ? thrown : new TypeError('a key, tier, cost or exempt function threw what is no error', { cause: thrown })
