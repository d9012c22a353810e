// What a candidate's process is asked: all limiters are put through the same loops.
import { answering } from '../answering.mjs'
import { quantile } from '../quantile.mjs'

/**
 * Answers what the bench asks over IPC until it goes away.
 * @param candidate - `check(subject)`, which resolves to whether it was admitted, by limits that a run does not reach;
 * `charge(units)`, which takes one unit of a limit of so many; `close()`; and under `questions` what else it answers
 */
export function measured (candidate) {
  const questions = { checks: given => checks(candidate, given), fill: ({ units }) => fill(candidate, units), ...candidate.questions }
  answering(questions, () => candidate.close())
}

/** Uses up a limit, by no more callers at once than measure it: else the heap is laid out for more. */
async function fill ({ charge }, units) {
  for (let done = 0; done < units; done += 50) await Promise.all(Array.from({ length: 50 }, () => charge(units)))
}

/** Checks by so many concurrent callers; every 16th is timed. */
async function checks ({ check }, { seconds, callers, subjects, admitted = true }) {
  const times = []
  const startedAt = performance.now()
  const endsAt = startedAt + 1_000 * seconds
  let operations = 0
  await Promise.all(Array.from({ length: callers }, async (_, caller) => {
    for (let i = Math.floor(caller * subjects / callers); ; i++) {
      const timed = i % 16 === 0
      const from = timed ? performance.now() : 0
      if (await check(`subject-${i % subjects}`) !== admitted) throw new Error(`a check was ${admitted ? 'refused' : 'admitted'}`)
      operations++
      if (!timed) continue
      const to = performance.now()
      times.push(to - from)
      if (to > endsAt) return
      // Promises that are settled already would never let a timer or an answer through.
      if (i % 4_096 === 0) await new Promise(resolve => setImmediate(resolve))
    }
  }))
  const took = (performance.now() - startedAt) / 1_000
  return { operations, seconds: took, p99Ms: quantile(times, 0.99) }
}
