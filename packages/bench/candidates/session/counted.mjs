const writes = new Set(['login', 'revoke', 'save', 'touch', 'markPending', 'confirm'])

/** A durable store whose questions and changes are counted, the polls apart. */
export function counted (store) {
  const counts = { selects: 0, writes: 0, selectsAtOnce: 0 }
  const underWay = new Map()
  async function find (hash) {
    counts.selects++
    const atOnce = (underWay.get(hash) ?? 0) + 1
    counts.selectsAtOnce = Math.max(counts.selectsAtOnce, atOnce)
    underWay.set(hash, atOnce)
    try {
      return await store.find(hash)
    } finally {
      if (underWay.get(hash) === 1) underWay.delete(hash)
      else underWay.set(hash, underWay.get(hash) - 1)
    }
  }
  const watched = new Proxy(store, {
    get (target, name) {
      if (name === 'find') return find
      const value = target[name]
      if (typeof value !== 'function') return value
      return (...given) => {
        if (writes.has(name)) counts.writes++
        return value.apply(target, given)
      }
    }
  })
  return { store: watched, counts }
}
