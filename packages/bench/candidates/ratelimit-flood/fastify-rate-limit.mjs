// The memory of @fastify/rate-limit, with as many keys.
import { createRequire } from 'node:module'
import { flooded } from './flood.mjs'

const LocalStore = createRequire(import.meta.url)('@fastify/rate-limit/store/LocalStore.js')

flooded(() => {
  const store = new LocalStore(false, false, 100_000)
  return key => {
    let allowed
    store.incr(key, (_, { current }) => { allowed = current <= 5 }, 600_000, 5)
    return allowed
  }
})
