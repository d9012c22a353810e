/** Every refusal: this app's own have `error` alone, those of Fastify and the plugins all four and perhaps more. */
export const refusal = (description: string) => ({
  description,
  type: 'object',
  properties: {
    statusCode: { type: 'integer' },
    code: { type: 'string' },
    error: { type: 'string' },
    message: { type: 'string' }
  },
  additionalProperties: true
}) as const

/** An empty object. */
export const done = (description: string) => ({ description, type: 'object', properties: {} }) as const
