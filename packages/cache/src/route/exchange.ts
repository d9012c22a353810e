import type { FastifyInstance, FastifyReply, FastifyRequest, RouteHandlerMethod } from 'fastify'
import type { ResolvedRouteOptions } from './options.ts'
import type { RequestKeys } from './request-key.ts'

/** A route whose answers are cached. */
export interface Wrapped {
  readonly handler: RouteHandlerMethod
  readonly options: ResolvedRouteOptions
  readonly keys: RequestKeys
  /** For messages. */
  readonly pattern: string
}

/** One call of its handler. */
export interface Exchange {
  readonly server: FastifyInstance
  readonly request: FastifyRequest
  readonly reply: FastifyReply
}

/** Where a handler's outcome goes. */
export interface Settle {
  resolve (value: unknown): void
  reject (error: unknown): void
}

/** Hands the handler's outcome to Fastify, as if it had called the handler itself. */
export function callHandler ({ handler }: Wrapped, { server, request, reply }: Exchange, { resolve, reject }: Settle): void {
  try {
    const result: unknown = handler.call(server, request, reply)
    // A handler that returns nothing answers with reply.send, now or later.
    resolve(result === undefined ? reply : result)
  } catch (error) {
    reject(error)
  }
}
