import type { SessionStore } from '../../src/stores/store.ts'

/** A store that is told the tag of every hash it is asked for, as an app knows it from the token. */
export function located (store: SessionStore): SessionStore {
  const tags = new Map<string, string>()
  const methods: Partial<SessionStore> = {
    async login (request) {
      const made = await store.login(request)
      tags.set(request.hash, made.tag)
      return made
    },
    async rotate (request) {
      tags.set(request.next, tags.get(request.hash) ?? '')
      return await store.rotate(request)
    },
    find: hash => store.find(hash, tags.get(hash)),
    touch: (hash, idleMs) => store.touch(hash, idleMs, tags.get(hash)),
    save: request => store.save({ ...request, tag: tags.get(request.hash)! })
  }
  return new Proxy(store, {
    get (target, name: keyof SessionStore) {
      const value = methods[name] ?? target[name] as unknown
      return typeof value === 'function' ? value.bind(target) : value
    }
  })
}
