import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import type { FastifyInstance } from 'fastify'

// The page of Swagger sets styles and images in line: what the other pages do without is allowed here, and here alone.
const policy = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

/** Describes every route that is added after it, at `/docs`; nothing is fetched from elsewhere. */
export async function describeRoutes (app: FastifyInstance): Promise<void> {
  await app.register(swagger, {
    openapi: {
      info: { title: 'Respite example', description: 'One Fastify app over one Redis: sessions, limits, a cache, its invalidation, and counts.', version: '1.0.0' },
      components: { securitySchemes: { bearer: { type: 'http', scheme: 'bearer', description: 'The sessionToken of POST /login.' } } },
      tags: [
        { name: 'accounts', description: 'Sign up, log in, see and end sessions' },
        { name: 'usage', description: 'Limits and counts' },
        { name: 'cache', description: 'Cached answers and what ends them' },
        { name: 'operation', description: 'For those who run the app' }
      ]
    }
  })
  await app.register(swaggerUi, { routePrefix: '/docs', uiConfig: { validatorUrl: null }, staticCSP: policy })
}
