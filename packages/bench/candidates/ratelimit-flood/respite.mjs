// The store of memory mode, with as many keys as it keeps by default.
import { systemClock } from '@respite/redis'
import { MemoryStore } from '../../../ratelimit/dist/stores/memory.js'
import { flooded } from './flood.mjs'

const rule = { name: 'api', algorithm: 'sliding-log', limit: 5, capacity: 5, windowMs: 600_000 }

flooded(() => {
  const store = new MemoryStore({ clock: systemClock, maxKeys: 100_000 })
  return subject => {
    let allowed
    store.take([{ rule, subject, cost: 1, ban: undefined }], (_, verdict) => { ({ allowed } = verdict) })
    return allowed
  }
})
