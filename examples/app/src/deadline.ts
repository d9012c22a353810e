import { setTimeout } from 'node:timers/promises'

/** What is answered, or what stands for it once it is late; the answer itself goes on. @throws what it rejects with in time */
export async function withDeadline<Answer, Late> (answer: Promise<Answer>, deadlineMs: number, late: Late): Promise<Answer | Late> {
  const over = new AbortController()
  const timer = setTimeout(deadlineMs, late, { signal: over.signal })
  try {
    return await Promise.race([answer, timer])
  } finally {
    over.abort()
    timer.catch(() => undefined) // the abort just now
  }
}
