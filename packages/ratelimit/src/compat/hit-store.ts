/** What a store tells of a key: its hits in this window, refused ones too, and ms until that ends. */
export interface HitCount { current: number, ttl: number }

/** How a store answers. */
export type HitCallback = (error: Error | null, result?: HitCount) => void

/** What is asked of a store: one of the app, or one of ours. `timeWindow` is in ms. */
export interface FastifyRateLimitStore {
  /** Counts a hit. */
  incr (key: string, callback: HitCallback, timeWindow: number, max: number): void
  /** Tells the hits and counts none; for `{ increment: false }`. */
  read? (key: string, callback: HitCallback, timeWindow: number, max: number): void
  /** The store of a route: all options as they hold there, and `routeInfo`, the route's own. */
  child (routeOptions: any): FastifyRateLimitStore
}

/** What a store is made with. */
export interface FastifyRateLimitOptions {
  continueExceeding?: boolean
  exponentialBackoff?: boolean
  cache?: number
}

/** A class of stores. */
export interface FastifyRateLimitStoreCtor {
  new (options: any): FastifyRateLimitStore
}
