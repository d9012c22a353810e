import type { Scenario } from '../scenario.ts'
import { bus } from './bus.ts'
import { cacheHit, cacheL2, cacheL2Many } from './cache-hits.ts'
import { cacheRoute } from './cache-route.ts'
import { cacheStampede } from './cache-stampede.ts'
import { ratelimit, ratelimitAlone } from './ratelimit.ts'
import { ratelimitFlood } from './ratelimit-flood.ts'
import { ratelimitLease } from './ratelimit-lease.ts'
import { ratelimitRefuse } from './ratelimit-refuse.ts'
import { session, sessionFallback } from './session.ts'
import { sessionLogin } from './session-login.ts'
import { sessionRevoke } from './session-revoke.ts'
import { suite } from './suite.ts'
import { tracking } from './tracking.ts'
import { trackingTop } from './tracking-top.ts'
import { trackingWindow } from './tracking-window.ts'

/** Every scenario that `npm run bench -- <name>` knows. */
export const scenarios: readonly Scenario[] = [
  suite, cacheHit, cacheL2, cacheL2Many, cacheStampede, cacheRoute, ratelimit, ratelimitAlone, ratelimitRefuse, ratelimitFlood, ratelimitLease,
  session, sessionLogin, sessionFallback, sessionRevoke,
  tracking, trackingWindow, trackingTop, bus
]
