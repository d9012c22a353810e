import {
  type HeaderChoice, present, type RateLimitOptions, type RateLimitPluginOptions, type ResolvedRouteOptions, resolvePluginOptions, resolveRouteOptions
} from './options.ts'

/** The names of the headers. */
export type Labels = Readonly<Record<'rateLimit' | 'rateRemaining' | 'rateReset' | 'retryAfter', keyof HeaderChoice>>

/** A limit as it holds on a route. */
export interface Settings extends ResolvedRouteOptions {
  readonly labels: Labels
  /** Of refusals. */
  readonly addHeaders: HeaderChoice
  /** Of requests that pass. */
  readonly addHeadersOnExceeding: HeaderChoice
}

const common: Labels = { rateLimit: 'x-ratelimit-limit', rateRemaining: 'x-ratelimit-remaining', rateReset: 'x-ratelimit-reset', retryAfter: 'retry-after' }
const draft: Labels = { rateLimit: 'ratelimit-limit', rateRemaining: 'ratelimit-remaining', rateReset: 'ratelimit-reset', retryAfter: 'retry-after' }

/** The settings of the plugin. @throws FST_RSP_OPTION_INVALID */
export const pluginSettings = (given: RateLimitPluginOptions) => withHeaders(resolvePluginOptions(given), {})

/**
 * The settings of a route: the plugin's, and its own over them.
 * @throws FST_RSP_OPTION_INVALID
 */
export function routeSettings (plugin: RateLimitPluginOptions, route: RateLimitOptions): Settings {
  const { global: _global, redis: _redis, nameSpace: _nameSpace, timeoutMs: _timeoutMs, ...inherited } = plugin
  const own = present(route)
  return withHeaders(resolveRouteOptions({ ...inherited, ...own }), own)
}

// A choice of headers that a route makes itself is complete; the plugin's leaves the others as they are.
function withHeaders<Options extends ResolvedRouteOptions> (options: Options, own: RateLimitOptions): Options & Settings {
  const labels = options.enableDraftSpec ? draft : common
  const { rateLimit, rateRemaining, rateReset, retryAfter } = labels
  const budget = { [rateLimit]: true, [rateRemaining]: true, [rateReset]: true }
  return {
    ...options,
    labels,
    addHeaders: own.addHeaders ?? { ...budget, [retryAfter]: true, ...options.addHeaders },
    addHeadersOnExceeding: own.addHeadersOnExceeding ?? { ...budget, ...options.addHeadersOnExceeding }
  }
}
