import { createRequire } from 'node:module'
import type { IoredisModule } from './ioredis-shapes.ts'

/** The app's own ioredis, or the one that @fastify/redis brings. */
export function loadIoredis (): IoredisModule {
  const require = createRequire(import.meta.url)
  try {
    return require('ioredis') as IoredisModule
  } catch {
    // An app that has none of its own: it is an optional peer.
    return createRequire(require.resolve('@fastify/redis'))('ioredis') as IoredisModule
  }
}
