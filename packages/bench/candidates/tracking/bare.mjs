// The handler alone.
import Fastify from 'fastify'
import { loadItem, route } from '../payload.mjs'
import { serve } from '../serve.mjs'

const app = Fastify()
app.get(route, async () => loadItem())

await serve(app)
