/** How many questions wait for the store at a time: more would share one deadline, and the last of them miss it. */
export const askedAtOnce = 16

/**
 * Does the same for each of many, so many at a time; the results are in their order.
 * @throws what the first that failed throws; those not yet begun are not begun then
 */
export async function inPortions<Item, Result> (items: readonly Item[], atOnce: number, work: (item: Item) => Promise<Result>): Promise<Result[]> {
  const results: Result[] = new Array(items.length)
  let next = 0
  const follow = async () => {
    while (next < items.length) {
      const at = next++
      try {
        results[at] = await work(items[at]!)
      } catch (error) {
        next = items.length
        throw error
      }
    }
  }
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, follow))
  return results
}
