import type { FastifyReply, FastifyRequest } from 'fastify'

/** Whether a request counts, once its answer has gone out. */
export type CountIf = (request: FastifyRequest, reply: FastifyReply) => boolean | Promise<boolean>

/** Answers of which kind count: statuses from 400 on, or those below. */
export type CountedOutcome = 'failures' | 'successes'

/** What a limit counts by its answers, as functions. */
export const countedOutcomes: Readonly<Record<CountedOutcome, CountIf>> = {
  failures: (_, reply) => reply.statusCode >= 400,
  successes: (_, reply) => reply.statusCode < 400
}
