import { FST_RSP_SESSION_STORE_DOWN, FST_RSP_SESSION_STORE_TIMEOUT } from './errors.ts'

/**
 * Gives the durable store a deadline; what it does after that is its own affair, and its late answer is not used.
 * @param what - for the error
 * @throws FST_RSP_SESSION_STORE_TIMEOUT, FST_RSP_SESSION_STORE_DOWN with the cause; errors of this package as they are
 */
export function withinDeadline<T> (work: Promise<T>, deadlineMs: number, what: string): Promise<T> {
  return new Promise((resolve, reject) => {
    const late = () => reject(new FST_RSP_SESSION_STORE_TIMEOUT(what, deadlineMs))
    // After a pause of our own event loop the answer may be there, one poll phase away.
    const timer = setTimeout(() => setImmediate(late), deadlineMs)
    const settle = (then: () => void) => {
      clearTimeout(timer)
      then()
    }
    work.then(result => settle(() => resolve(result)), (error: Error & { code?: string }) => settle(() => reject(refusal(error, what))))
  })
}

function refusal (error: Error & { code?: string }, what: string): Error {
  const ours = typeof error.code === 'string' && /^FST_RSP_SESSION_(?!SQLITE|WORKER|STORE_CLOSED)/.test(error.code)
  return ours ? error : new FST_RSP_SESSION_STORE_DOWN(what, { cause: error })
}
