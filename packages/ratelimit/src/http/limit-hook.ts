import type { FastifyReply, FastifyRequest, preHandlerHookHandler } from 'fastify'
import type { Enforcer } from './enforcer.ts'
import type { RouteSet } from './route-limits.ts'

/** Makes a hook that checks limits of all kinds, together. */
export function limitHook (limits: RouteSet, enforcer: Enforcer): preHandlerHookHandler {
  return (request: FastifyRequest, reply: FastifyReply, done: (error?: Error) => void) => {
    if (enforcer.isExempt(request)) {
      done()
      return
    }
    enforcer.byAll(limits, request).then(pending => enforcer.settle(pending, request, reply, (error, answered) => {
      if (answered !== true) done(error)
    }), (error: unknown) => done(errorOf(error)))
  }
}

// Fastify takes a hook that fails with nothing for one that has no objection.
const errorOf = (thrown: unknown) => thrown instanceof Error ? thrown : new TypeError('the key function of a limit threw what is no error', { cause: thrown })
