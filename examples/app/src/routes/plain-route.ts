/** The config of a route that looks for no session and counts against no limit. */
export const plainRoute = { session: false, rateLimit: false } as const
