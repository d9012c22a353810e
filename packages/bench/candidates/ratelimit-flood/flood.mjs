// What a candidate's process is asked about a flood of keys that come once each.
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { answering } from '../answering.mjs'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc')
const mebibyte = 2 ** 20

function held () {
  collect()
  const { heapUsed, external } = process.memoryUsage()
  return (heapUsed + external) / mebibyte
}

/**
 * Answers what the bench asks over IPC until it goes away.
 * @param make - the limiter, empty, of a limit of 5 in ten minutes: a function of a key that says whether it was admitted
 */
export function flooded (make) {
  const before = held()
  const take = make()
  const blocked = Array.from({ length: 1_000 }, (_, i) => `blocked-${i}`)
  for (const key of blocked) for (let i = 0; i < 6; i++) take(key)
  let key = 0
  const flood = until => {
    const from = key
    while (!until(key - from)) for (let i = 0; i < 1_000; i++) take(`a caller who comes once ${key++}`)
    return key - from
  }
  const questions = {
    keys: ({ keys }) => flood(done => done >= keys),
    seconds: ({ seconds }) => {
      const startedAt = performance.now()
      const operations = flood(() => performance.now() - startedAt > 1_000 * seconds)
      const took = (performance.now() - startedAt) / 1_000
      return { operations, seconds: took, p99Ms: 0, figures: { millionKeys: key / 1e6, heldMiB: held() - before, blockedReset: blocked.filter(each => take(each)).length } }
    }
  }
  answering(questions, () => {})
}
