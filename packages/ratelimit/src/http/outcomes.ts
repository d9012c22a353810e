import type { FastifyBaseLogger, FastifyReply, FastifyRequest } from 'fastify'
import type { Ask, LimitCharge } from '../limiter.ts'

/** What was charged, to be given back if the answer does not count. */
export interface OpenCharge { readonly ask: Ask, readonly charge: LimitCharge }

/** What to do with the charges that do not count, and where to say that an app's function failed. */
export interface OutcomeParts { readonly giveBack: (charges: readonly LimitCharge[]) => void, readonly log: Pick<FastifyBaseLogger, 'warn'> }

/** Once the answer has gone out, gives back what does not count. Whoever leaves before stays charged: else leaving would be free. */
export async function settleOutcomes (charges: readonly OpenCharge[], request: FastifyRequest, reply: FastifyReply, { giveBack, log }: OutcomeParts): Promise<void> {
  const free = await Promise.all(charges.map(async ({ ask: { limit } }) => {
    try {
      return await limit.countIf!(request, reply) === false
    } catch (error) {
      log.warn({ err: error, limit: limit.rule.name }, 'countIf of a limit failed: the request counts')
      return false
    }
  }))
  const back = charges.filter((_, i) => free[i]).map(({ charge }) => charge)
  if (back.length > 0) giveBack(back)
}
