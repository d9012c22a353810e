import { setImmediate, setTimeout } from 'node:timers/promises'

/**
 * Waits for what has no event: asks again and again until it holds.
 * @param withinMs - after this time it rejects, with `what` in the message
 */
export async function until (what: string, holds: () => unknown, withinMs = 30_000): Promise<void> {
  const end = performance.now() + withinMs
  while (!await holds()) {
    if (performance.now() > end) throw new Error(`waited ${withinMs} ms in vain for: ${what}`)
    await setImmediate()
    await setTimeout(1)
  }
}
