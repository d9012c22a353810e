import type { FastifyRequest } from 'fastify'
import { FST_RSP_SESSION_NOT_READ } from '../errors.ts'
import type { Follower, SessionEnds } from '../session-ends.ts'
import { closable, type SessionConnection } from './session-connection.ts'
import { held, type SessionRequest } from './session-duty.ts'

/** How a session is followed. */
export interface FollowOptions {
  /** Counts as use of the session, so that it does not idle out meanwhile. @default false */
  prolong?: boolean
}

/**
 * Follows the session of a request beyond its response. A visitor without a session has none that could end.
 * @returns the way to stop following
 * @throws FST_RSP_SESSION_NOT_READ, FST_RSP_SESSION_FOLLOWED_MAX
 */
export function followSession (ends: SessionEnds, request: FastifyRequest, follower: Follower): () => void {
  const session = (request as SessionRequest)[held]
  // Without an error a route that reads no session would keep its connections for ever.
  if (session === undefined || request.routeOptions.config.session === false) throw new FST_RSP_SESSION_NOT_READ()
  const found = session?.found
  return found === undefined ? () => undefined : ends.follow(found, follower)
}

/**
 * Closes a connection when the session of its request ends.
 * @returns the way to let it go
 * @throws FST_RSP_SESSION_CONNECTION, FST_RSP_SESSION_NOT_READ, FST_RSP_SESSION_FOLLOWED_MAX
 */
export function closeWithSession (ends: SessionEnds, request: FastifyRequest, { connection, prolong }: { connection: SessionConnection, prolong: boolean }): () => void {
  const end = closable(connection)
  const stop = followSession(ends, request, { listener: why => end.close(why), prolong })
  // The client may have gone while the session was looked for.
  if (end.closed) stop()
  else end.onceClosed(stop)
  return stop
}
