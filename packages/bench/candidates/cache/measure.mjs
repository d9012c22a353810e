// What a candidate's process is asked: all libraries are put through the same loops.
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { answering } from '../answering.mjs'
import { loadItem } from '../payload.mjs'
import { quantile } from '../quantile.mjs'

setFlagsFromString('--expose-gc')
const gc = runInNewContext('gc')
const held = () => {
  gc()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}
const nameOf = i => `item:${i}`

let runs = 0
const load = () => {
  runs++
  return loadItem()
}

/**
 * Answers what the bench asks over IPC until it goes away.
 * @param candidate - `getOrSet(key, load)`, `get(key)` and `getMany(keys)` where the library has them, and `close()`
 */
export function measured (candidate) {
  const questions = { fill, hits: given => hits(candidate, given), many: given => many(candidate, given), stampede: given => stampede(candidate, given), runs: () => runs }
  async function fill ({ entries }) {
    // More than once: some keep a local copy of what was read, not of what was filled.
    const passes = async name => { for (let pass = 0; pass < 3; pass++) for (let i = 0; i < entries; i++) await candidate.getOrSet(name(i), load) }
    await passes(i => `other:${i}`) // code is compiled and tables have grown
    const runsBefore = runs
    const before = held()
    await passes(nameOf)
    return { runs: runs - runsBefore, bytesPerEntry: (held() - before) / entries }
  }
  answering(questions, () => candidate.close())
}

/** Hits by so many concurrent callers; every 16th is timed. */
async function hits ({ get, getOrSet }, { seconds, callers, entries, alternate }) {
  const times = []
  const runsBefore = runs
  const startedAt = performance.now()
  const endsAt = startedAt + 1_000 * seconds
  let operations = 0
  await Promise.all(Array.from({ length: callers }, async (_, caller) => {
    // Callers walk apart, so that no two of them want the same key at once.
    for (let i = Math.floor(caller * entries / callers); ; i++) {
      const key = nameOf(i % entries)
      const timed = i % 16 === 0
      const from = timed ? performance.now() : 0
      const value = alternate && get !== undefined && i % 2 === 0 ? await get(key) : await getOrSet(key, load)
      if (value?.id !== 42) throw new Error(`${key} is not there`)
      operations++
      if (!timed) continue
      const to = performance.now()
      times.push(to - from)
      if (to > endsAt) return
      // Promises that are settled already would never let a timer or an answer through.
      if (i % 4_096 === 0) await new Promise(resolve => setImmediate(resolve))
    }
  }))
  if (runs !== runsBefore) throw new Error(`${runs - runsBefore} factories ran: these were no hits`)
  const took = (performance.now() - startedAt) / 1_000
  return { operations, seconds: took, p99Ms: quantile(times, 0.99) }
}

/** Reads of many keys at once by a few callers; an operation is a key. */
async function many ({ getMany }, { seconds, callers, entries, keys }) {
  const times = []
  const startedAt = performance.now()
  const endsAt = startedAt + 1_000 * seconds
  await Promise.all(Array.from({ length: callers }, async (_, caller) => {
    for (let i = Math.floor(caller * entries / callers), to = 0; to <= endsAt; i += keys) {
      const names = Array.from({ length: keys }, (_, at) => nameOf((i + at) % entries))
      const from = performance.now()
      const values = await getMany(names)
      to = performance.now()
      for (const value of values) if (value?.id !== 42) throw new Error('a key is not there')
      times.push(to - from)
    }
  }))
  const took = (performance.now() - startedAt) / 1_000
  return { operations: keys * times.length, seconds: took, p99Ms: quantile(times, 0.99) }
}

/** Many callers at once for one missing key. */
async function stampede ({ getOrSet }, { key, callers, factoryMs }) {
  const slow = async () => {
    runs++
    await new Promise(resolve => setTimeout(resolve, factoryMs))
    return loadItem()
  }
  const runsBefore = runs
  const times = await Promise.all(Array.from({ length: callers }, async () => {
    const from = performance.now()
    await getOrSet(key, slow)
    return performance.now() - from
  }))
  return { times, runs: runs - runsBefore }
}
