import { setTimeout as pause } from 'node:timers/promises'
import type { Redis } from 'ioredis'

// In one script: nothing happens between the two questions.
const script = `
local without, keys = {}, redis.call('KEYS', '*')
for _, key in ipairs(keys) do
  if redis.call('PTTL', key) == -1 then without[#without + 1] = key end
end
return {#keys, without}`
const everyMs = 100

/** Looks again and again for keys that never end. */
export class ExpiryWatch {
  readonly without = new Set<string>()
  /** Keys that were looked at, all times together. */
  keys = 0
  readonly #redis: Redis
  readonly #looking: Promise<void>
  #over = false

  constructor (redis: Redis) {
    this.#redis = redis
    this.#looking = this.#look()
  }

  async stop (): Promise<void> {
    this.#over = true
    await this.#looking
  }

  async #look (): Promise<void> {
    while (!this.#over) {
      try {
        const [keys, without] = await this.#redis.eval(script, 0) as [number, string[]]
        this.keys += keys
        for (const key of without) this.without.add(key)
      } catch {
        // Redis is away on purpose: it has no keys then.
      }
      await pause(everyMs)
    }
  }
}
