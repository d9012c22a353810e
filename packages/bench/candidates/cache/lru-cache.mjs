// lru-cache alone, without promises, Redis or anybody to tell it what has changed: the limit.
import { LRUCache } from 'lru-cache'
import { measured } from './measure.mjs'

const cache = new LRUCache({ max: 100_000 })

measured({
  get: key => cache.get(key),
  getOrSet (key, load) {
    const found = cache.get(key)
    if (found !== undefined) return found
    const value = load()
    cache.set(key, value)
    return value
  },
  close: () => undefined
})
