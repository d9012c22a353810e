import type { FastifyError, FastifyInstance } from 'fastify'
import { FST_RSP_APP_INTERNAL } from './errors.ts'

// A body that cannot be read. HTTP knows finer codes (413, 415); this app answers each of them with 400.
const unreadable = new Set(['FST_ERR_CTP_BODY_TOO_LARGE', 'FST_ERR_CTP_INVALID_MEDIA_TYPE', 'FST_ERR_CTP_INVALID_CONTENT_LENGTH'])

/** Answers 400, in Fastify's form, to every body that is not the JSON asked for; and keeps to the log what broke inside. */
export function refuseBadInput (app: FastifyInstance): void {
  app.setErrorHandler<FastifyError>(error => {
    if (unreadable.has(error.code)) error.statusCode = 400
    if ((error.statusCode ?? 500) !== 500) throw error
    throw Object.assign(new FST_RSP_APP_INTERNAL(), { cause: error })
  })
}
