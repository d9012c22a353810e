import type { Redis } from 'ioredis'

/** What keys take of a server's memory, by its own word. */
export async function heldBytes (redis: Redis, keys: readonly string[]): Promise<number> {
  const sizes = await Promise.all(keys.map(key => redis.memory('USAGE', key, 'SAMPLES', 0)))
  return sizes.reduce<number>((sum, size) => sum + Number(size), 0)
}
