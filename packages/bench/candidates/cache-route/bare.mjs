// The handler alone.
import Fastify from 'fastify'
import { loadItem, route } from '../payload.mjs'
import { serve } from '../serve.mjs'

const app = Fastify()
const item = loadItem()
app.get(route, async () => item)

await serve(app)
