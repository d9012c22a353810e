import type { Rule } from '../../src/rule.ts'
import type { WindowAlgorithm } from '../rules.ts'
import { type Admission, type Admissions, msOf } from './admissions.ts'

/** Says from all that was ever admitted what a limit must admit, and what it may. */
export interface Oracle {
  may (nowUs: number, cost: number): boolean
  must (nowUs: number, cost: number): boolean
  admitted (admission: Admission): void
  refunded (admission: Admission): void
}

const stateless = { admitted () {}, refunded () {} }

/** @param counted - without what was refunded @param all - with it */
export const oracles: Record<WindowAlgorithm, (rule: Rule, counted: Admissions, all: Admissions) => Oracle> = {
  'sliding-log' ({ limit, windowMs }, counted) {
    const fits = (nowUs: number, cost: number) => counted.between(msOf(nowUs) - windowMs, msOf(nowUs)) + cost <= limit
    return { ...stateless, may: fits, must: fits }
  },

  // A unit may count for up to 16/15 of the window, and never shorter than it.
  'sliding-counter' ({ limit, windowMs }, counted) {
    const within = (spanMs: number) => (nowUs: number, cost: number) => counted.between(msOf(nowUs) - spanMs, msOf(nowUs)) + cost <= limit
    return { ...stateless, may: within(windowMs), must: within(16 * Math.ceil(windowMs / 15)) }
  },

  'fixed-window' ({ limit, windowMs }) {
    let [startMs, count] = [-Infinity, 0]
    const inside = (us: number) => count > 0 && msOf(us) >= startMs && msOf(us) < startMs + windowMs
    const fits = (nowUs: number, cost: number) => (inside(nowUs) ? count : 0) + cost <= limit
    return {
      may: fits,
      must: fits,
      admitted ({ atUs, cost }) {
        if (!inside(atUs)) [startMs, count] = [msOf(atUs), 0]
        count += cost
      },
      refunded ({ atUs, cost }) {
        if (inside(atUs)) count -= cost
      }
    }
  },

  // A refund gives back what has not leaked yet: less than if the charge had never been.
  gcra ({ limit, windowMs, capacity: burst }, counted, all) {
    const intervalUs = Math.ceil(windowMs * 1_000 / limit)
    const conforms = (admissions: Admissions) => (nowUs: number, cost: number) => admissions.conforms(nowUs, cost, { burst, intervalUs })
    return { ...stateless, may: conforms(counted), must: conforms(all) }
  }
}
