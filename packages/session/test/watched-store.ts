import type { SessionStore } from '../src/stores/store.ts'

type Method = Exclude<keyof SessionStore, 'kind'>

/** A store whose calls are counted, and can be held or made to fail; `close` is left to the test. */
export class WatchedStore {
  readonly calls = new Map<Method, number>()
  /** Awaited after the store has answered, before the caller is told. */
  readonly after = new Map<Method, () => Promise<void>>()
  /** While set, every call fails with it. */
  failure: Error | undefined
  readonly store: SessionStore

  constructor (inner: SessionStore) {
    this.store = new Proxy(inner, {
      get: (target, name: Method) => {
        const value = target[name] as unknown
        if (typeof value !== 'function') return value
        if ((name as string) === 'close') return async () => undefined
        return async (...args: unknown[]) => {
          this.calls.set(name, this.count(name) + 1)
          if (this.failure !== undefined) throw this.failure
          const result = await value.apply(target, args)
          await this.after.get(name)?.()
          return result
        }
      }
    })
  }

  count (name: Method): number {
    return this.calls.get(name) ?? 0
  }
}
