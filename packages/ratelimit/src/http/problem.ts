import type { FastifyRequest } from 'fastify'
import type { Refusal } from './refusal.ts'

/** The body of a 429 in the form of RFC 9457. */
export interface Problem extends Omit<Refusal, 'statusCode' | 'error' | 'message'> {
  type: 'about:blank'
  title: 'Too Many Requests'
  status: 429
  detail: string
}

export const problemType = 'application/problem+json'
/** An Accept header that is longer is not read. */
const longestAccept = 1_024

/** Whether a request names `application/problem+json` in Accept, and wants it no less than `application/json`; a wildcard names nothing. */
export function wantsProblem (request: FastifyRequest): boolean {
  const { accept } = request.headers
  if (accept === undefined || accept.length > longestAccept || !accept.toLowerCase().includes(problemType)) return false
  const problem = qualityOf(accept, problemType)
  return problem > 0 && problem >= qualityOf(accept, 'application/json')
}

/** A refusal as RFC 9457 has it: `about:blank`, whose title is the status' own; what is ours are extension members. */
export function problemOf ({ statusCode, error, message, ...rest }: Refusal): Problem {
  return { type: 'about:blank', title: error, status: statusCode, detail: message, ...rest }
}

/** @see RFC 9110, section 12.5.1 */
function qualityOf (accept: string, type: string): number {
  for (const range of accept.split(',')) {
    const [name, ...parameters] = range.split(';').map(part => part.trim().toLowerCase())
    if (name !== type) continue
    const q = parameters.find(parameter => parameter.startsWith('q='))
    if (q === undefined) return 1
    return /^q=(0(\.\d{0,3})?|1(\.0{0,3})?)$/.test(q) ? Number(q.slice(2)) : 0
  }
  return 0
}
