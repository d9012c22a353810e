import type { LinkError } from '@respite/redis'

// Answers to a script that no repetition will change. Redis before 7 says ERR of all that goes wrong within a script.
const permanent = new Set(['WRONGTYPE', 'INVALIDOBJ', 'ERR'])
const transient = /\b(OOM|READONLY|LOADING|MISCONF|NOREPLICAS|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|BUSY)\b/

/** Whether the store will refuse the same again, however often it is asked. */
export function isPermanentRefusal ({ reply, message }: LinkError): boolean {
  return reply !== undefined && permanent.has(reply) && !transient.test(message)
}
