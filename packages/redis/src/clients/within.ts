import { FST_RSP_SUBSCRIBER_LOST } from '../errors.ts'

/** What `work` gives, unless it takes too long or the signal says that nobody waits any more. */
// By hand, not by AbortSignal.any: on a signal that lives long it keeps every signal it ever made.
export function within<T> (work: Promise<T>, signal: AbortSignal, deadlineMs: number): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason)
    const timer = setTimeout(() => reject(new FST_RSP_SUBSCRIBER_LOST(`no answer within ${deadlineMs} ms`)), deadlineMs).unref()
    if (signal.aborted) onAbort()
    else signal.addEventListener('abort', onAbort)
    work.then(resolve, reject).finally(() => {
      clearTimeout(timer)
      signal.removeEventListener('abort', onAbort)
    })
  })
}
