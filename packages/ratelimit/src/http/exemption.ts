import type { FastifyRequest } from 'fastify'
import { FST_RSP_RATELIMIT_EXEMPT_INVALID } from '../errors.ts'
import { shownValue } from '../shown-value.ts'

/** Whether no limit counts a request: of an administrator, say. */
export type Exempt = (request: FastifyRequest) => boolean | Promise<boolean>

/** Asks the app's `exempt`, once a request, however many limits want to know. */
export class Exemption {
  readonly #exempt: Exempt
  readonly #answers = new WeakMap<FastifyRequest, Promise<boolean>>()

  constructor (exempt: Exempt) {
    this.#exempt = exempt
  }

  /** @throws what the function throws, and FST_RSP_RATELIMIT_EXEMPT_INVALID */
  of (request: FastifyRequest): Promise<boolean> {
    const known = this.#answers.get(request)
    if (known !== undefined) return known
    const answer = this.#ask(request)
    this.#answers.set(request, answer)
    return answer
  }

  async #ask (request: FastifyRequest): Promise<boolean> {
    const answer: unknown = await this.#exempt(request)
    // What looks true but is none, such as an empty list of roles, must not open every limit.
    if (typeof answer !== 'boolean') throw new FST_RSP_RATELIMIT_EXEMPT_INVALID(shownValue(answer))
    return answer
  }
}
