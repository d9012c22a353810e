import type { Scenario } from '../scenario.ts'
import { cacheHit, cacheL2, cacheL2Many } from './cache-hits.ts'
import { cacheRoute } from './cache-route.ts'
import { cacheStampede } from './cache-stampede.ts'
import { ratelimit, ratelimitAlone } from './ratelimit.ts'
import { suite } from './suite.ts'

/** Every scenario that `npm run bench -- <name>` knows. */
export const scenarios: readonly Scenario[] = [suite, cacheHit, cacheL2, cacheL2Many, cacheStampede, cacheRoute, ratelimit, ratelimitAlone]
