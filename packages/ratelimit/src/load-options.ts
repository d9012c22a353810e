/** When a limit asks for headroom. */
export interface LoadOptions {
  /** Load of this process, 0 to 0.99, above which units of the limit stay free: in proportion, at 1 all but what the request costs. */
  shedAt: number
}

/** Load of this process, for all limits. */
export interface AppLoadOptions {
  /** Of the limits that do not say it themselves, 0 to 0.99. @default none: they do not look at the load */
  shedAt?: number
  /** The load, 0 to 1, asked for at most twice a second. @default the utilisation of the event loop since it was asked for last */
  measure?: () => number
}

const shedAt = { type: 'number', minimum: 0, maximum: 0.99, description: 'Load, 0 to 1, above which units of the limit stay free: in proportion, at 1 all but what the request costs.' }

/** Types and bounds of a limit's `load`. */
export const loadSchema = {
  anyOf: [{ type: 'object', additionalProperties: false, required: ['shedAt'], properties: { shedAt } }, { const: false }],
  description: 'Asks for headroom under load: `{ shedAt }` of the plugin\'s option `load`, for this limit; `false`: never.'
} as const

/** Types and bounds of the plugin's `load`. */
export const appLoadSchema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    shedAt: { ...shedAt, description: 'Load, 0 to 1, above which units of each limit stay free: in proportion, at 1 all but what the request costs. Absent: of the limits alone that say it.' },
    measure: { instance: 'function', description: '`() => number`: the load, 0 to 1, asked for at most twice a second. By default the utilisation of the event loop since it was asked for last.' }
  },
  default: {},
  description: 'How limits behave while this process is busy.'
} as const
