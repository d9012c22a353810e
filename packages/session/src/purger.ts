import type { Respite } from '@respite/redis'
import type { SessionEvents } from './session-events.ts'
import { isTombstone } from './stores/sid-prefixes.ts'
import type { SessionStore } from './stores/store.ts'

const intervalMs = 60_000
const batchSize = 1_000
// Of a minute: what is left then is the next one's.
const maxBatches = 100
// A call that was never answered, as over a connection that broke in silence, must not be the last; one over a large table takes its minutes.
const givenUpMs = 10 * intervalMs

/** Deletes what has expired, about once a minute over all instances. */
export function purger ({ store, events, respite }: { store: SessionStore, events: SessionEvents, respite: Respite }): { start (): void, stop (): void } {
  let timer: NodeJS.Timeout | undefined
  let purging: { readonly sinceMs: number } | undefined
  let stopped = false
  const log = respite.logger('session')

  async function purge (): Promise<void> {
    // Each instance leaves it to the others in all but its share of the minutes.
    if (respite.chance() * respite.bus.instances >= 1) return
    const nowMs = respite.clock.monotonicMs()
    if (purging !== undefined && nowMs - purging.sinceMs < givenUpMs) return
    const began = purging = { sinceMs: nowMs }
    try {
      for (let batch = 0; batch < maxBatches; batch++) {
        const purged = await store.purge(batchSize)
        for (const { sid, userId, expired } of purged) if (expired && !isTombstone(sid)) events.emit('expired', { id: sid, userId })
        if (stopped || began !== purging || purged.length < batchSize) break
      }
    } catch (error) {
      // The next minute has another try; expired rows are refused all the same.
      log.debug({ err: error }, 'expired sessions could not be deleted')
    } finally {
      if (began === purging) purging = undefined
    }
  }

  return {
    start () {
      timer = setInterval(() => { purge().catch((error: unknown) => log.debug({ err: error }, 'purging sessions failed')) }, intervalMs).unref()
    },
    stop () {
      stopped = true
      clearInterval(timer)
    }
  }
}
