import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import type { SessionOptions } from '../options.ts'
import { openServices } from '../open-services.ts'

/**
 * The two stores and `fastify.sessions` alone: without `request.session`, `reply.login` and `reply.logout`, for an app
 * whose requests another library serves.
 * @throws as @respite/session
 */
async function storePlugin (fastify: FastifyInstance, options: SessionOptions): Promise<void> {
  openServices(fastify, options)
}

export const sessionStore = fp(storePlugin, { fastify: '5.x', name: '@respite/session/store', decorators: { fastify: ['respite'] } })
export default sessionStore
