const maxAttempts = 5

/**
 * A database rolls back one of two transactions that wait for each other, all of it: to run that again is no second transaction.
 * @param codes - by which it says so
 */
export async function whileDeadlocked<T> (codes: ReadonlySet<string>, work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work()
    } catch (error) {
      if (attempt === maxAttempts || !codes.has((error as { code?: string }).code ?? '')) throw error
    }
  }
}
