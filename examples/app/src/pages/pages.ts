import helmet from '@fastify/helmet'
import fastifyStatic from '@fastify/static'
import type { FastifyInstance } from 'fastify'
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { packageFolder } from '../environment.ts'
import { FST_RSP_APP_PAGES } from '../errors.ts'
import { pageStyle } from '../html.ts'
import { plainRoute } from '../routes/plain-route.ts'

const folder = join(packageFolder, 'pages', 'dist')
const styleHash = `'sha256-${createHash('sha256').update(pageStyle).digest('base64')}'`

/** Names of files in the bundle: they change with the content, so a copy of one is good for ever. */
const assetName = { type: 'string', pattern: '^[\\w-]+\\.(js|css)$' } as const

declare module 'fastify' {
  interface FastifyReply {
    /** Answers with one of the bundled pages. */
    sendPage (name: 'index' | 'dashboard' | 'sign-in'): FastifyReply
  }
}

/**
 * Strict headers for every answer, and the bundled pages with what they load.
 * @throws FST_RSP_APP_PAGES where they have not been built
 */
export async function servePages (app: FastifyInstance): Promise<void> {
  if (!existsSync(join(folder, 'index.html'))) throw new FST_RSP_APP_PAGES(folder)
  await app.register(helmet, {
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'none'"],
        scriptSrc: ["'self'"],
        styleSrc: ["'self'", styleHash],
        imgSrc: ["'self'"],
        connectSrc: ["'self'"],
        baseUri: ["'none'"],
        formAction: ["'self'"],
        frameAncestors: ["'none'"]
      }
    },
    // A browser that has once seen it would refuse plain http on localhost: whoever ends TLS in front says so.
    strictTransportSecurity: false
  })
  await app.register(fastifyStatic, { root: folder, serve: false, preCompressed: true })
  app.decorateReply('sendPage', function (name) {
    if (!this.hasHeader('cache-control')) this.header('cache-control', 'no-cache')
    return this.sendFile(`${name}.html`, { cacheControl: false })
  })

  // The one address at which browsers look for it on every page, those of no bundle included.
  app.get('/favicon.ico', { config: plainRoute, schema: { hide: true } }, async (request, reply) => reply.sendFile('icon.svg', { maxAge: '1d' }))

  app.get<{ Params: { name: string } }>('/assets/:name', {
    config: plainRoute, schema: { hide: true, params: { type: 'object', properties: { name: assetName } } }
  }, async (request, reply) => reply.sendFile(`assets/${request.params.name}`, { maxAge: '365d', immutable: true }))
}
