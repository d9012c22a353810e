import type { Respite } from '@respite/redis'
import type { SessionEvents } from './session-events.ts'
import { isEndedMark } from './stores/marks.ts'
import type { SessionStore } from './stores/store.ts'

const everyMs = 60_000
const most = 1_000

/** Deletes what has expired, once a minute over all instances. */
export function purger ({ store, events, respite }: { store: SessionStore, events: SessionEvents, respite: Respite }): { start (): void, stop (): void } {
  let timer: NodeJS.Timeout | undefined
  const log = respite.logger('session')

  async function purge (): Promise<void> {
    // Each instance leaves it to the others in all but its share of the minutes.
    if (respite.chance() * respite.bus.instances >= 1) return
    try {
      for (const { sid, userId } of await store.purge(most)) if (!isEndedMark(sid)) events.emit('expired', { id: sid, userId })
    } catch (error) {
      // The next minute has another try; expired rows are refused all the same.
      log.debug({ err: error }, 'expired sessions could not be deleted')
    }
  }

  return {
    start () {
      timer = setInterval(() => { purge().catch((error: unknown) => log.debug({ err: error }, 'purging sessions failed')) }, everyMs).unref()
    },
    stop () {
      clearInterval(timer)
    }
  }
}
