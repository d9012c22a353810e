/** The most ids in one statement. */
const maxIds = 128

/**
 * Ids in lists of a few different lengths, so that there are few different statements to keep prepared: a list of 5 is
 * made 8 long by its last id again, which means the same to `IN`.
 */
export function idLists (ids: readonly string[]): string[][] {
  const lists: string[][] = []
  for (let i = 0; i < ids.length; i += maxIds) {
    const some = ids.slice(i, i + maxIds)
    lists.push([...some, ...Array.from({ length: 2 ** Math.ceil(Math.log2(some.length)) - some.length }, () => some.at(-1)!)])
  }
  return lists
}
