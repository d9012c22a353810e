/** The object of 500 bytes of JSON that every candidate caches and answers with. */
export const item = Object.freeze({ id: 42, name: 'A cached object', tags: ['bench', 'suite'], price: 12.5, text: '' })
const missing = 500 - JSON.stringify(item).length

/** Made anew each time, as a database would: nobody can cheat by sharing it. */
export const loadItem = () => ({ ...item, text: 'x'.repeat(missing) })

export const itemKey = 'item:42'
export const route = '/work'
/** High enough that no run reaches it. */
export const limit = { max: 10_000_000, windowMs: 60_000 }
