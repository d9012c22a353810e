import type { Drill } from '../drill.ts'
import { cacheHistory } from './cache-history.ts'
import { linkOutage } from './link-outage.ts'
import { sessionHistory } from './session-history.ts'

/** Every drill that `npm run drill -- <name>` knows. */
export const drills: readonly Drill[] = [linkOutage, cacheHistory, sessionHistory]
