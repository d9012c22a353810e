import type { SpaceSaving } from '../src/space-saving.ts'

/** What a summary says that is not so, each as one line; nothing may be. */
export function falseBounds (summary: Pick<SpaceSaving, 'floor' | 'entries'>, truth: ReadonlyMap<string, number>): string[] {
  const kept = new Map(summary.entries())
  const wrong = Array.from(kept).filter(([id, { count, maxOver }]) => count < truth.get(id)! || count - maxOver > truth.get(id)!)
  const unseen = Array.from(truth).filter(([id, calls]) => !kept.has(id) && calls > summary.floor)
  return [
    ...wrong.map(([id, { count, maxOver }]) => `${id}: ${count}, over by at most ${maxOver}, truly ${truth.get(id)}`),
    ...unseen.map(([id, calls]) => `${id}: absent, truly ${calls}, and the floor is ${summary.floor}`)
  ]
}
