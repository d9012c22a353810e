import { FST_RSP_CACHE_FILL_FAILED } from '@respite/cache'
import type { FastifyInstance } from 'fastify'
import { FST_RSP_APP_WEATHER_UNREACHABLE } from '../errors.ts'
import { placeAt, type WeatherSource } from '../weather/weather.ts'
import { weatherPage } from '../weather/weather-page.ts'
import { refusal } from './answers.ts'

interface Query {
  lat: number
  lon: number
  mock: boolean
  cache: boolean
}

const weather = {
  type: 'object',
  properties: {
    latitude: { type: 'number' },
    longitude: { type: 'number' },
    temperatureC: { type: 'number' },
    humidityPercent: { type: 'number' },
    windKmh: { type: 'number' },
    description: { type: 'string' },
    observedAt: { type: 'string' }
  }
} as const

const schema = {
  tags: ['cache'],
  summary: 'The weather at a place, from the cache for 10 s; mock=true asks a simulated upstream that takes 500 ms, and with cache=false each time',
  querystring: {
    type: 'object',
    required: ['lat', 'lon'],
    properties: {
      lat: { type: 'number', minimum: -90, maximum: 90 },
      lon: { type: 'number', minimum: -180, maximum: 180 },
      mock: { type: 'boolean', default: false },
      cache: { type: 'boolean', default: true }
    }
  },
  response: {
    200: { description: 'The weather; X-Cache tells whether it was at hand: HIT, MISS, or BYPASS with cache=false', ...weather },
    400: refusal('No such place, or cache=false without mock=true'),
    502: refusal('The weather service cannot be reached')
  }
} as const

/** Cache-aside over a slow upstream. */
export async function weatherRoutes (app: FastifyInstance, { upstream, mock }: { upstream: WeatherSource, mock: WeatherSource }): Promise<void> {
  const cache = app.cache.namespace('weather', { ttl: '10s' })

  app.get<{ Querystring: Query }>('/weather', { schema, config: { rateLimit: false } }, async (request, reply) => {
    const { lat, lon } = request.query
    const source = request.query.mock ? mock : upstream
    const place = placeAt(lat, lon)
    // What a cache saves is shown by doing without, and only at the cost of an upstream of our own.
    if (!request.query.cache && source !== mock) return reply.code(400).send({ error: 'cache=false is for mock=true only' })
    // A HIT also for those who waited while somebody else asked: they cost the upstream nothing.
    let cached = request.query.cache ? 'HIT' : 'BYPASS'
    const weather = cached === 'BYPASS'
      ? await source.at(place)
      : await cache.getOrSet(`${source.name}:${place.latitude}:${place.longitude}`, () => {
        cached = 'MISS'
        return source.at(place)
      }).catch(failedElsewhere)
    reply.header('x-cache', cached).header('vary', 'Accept')
    if (request.accepts().type(['json', 'html']) !== 'html') return weather
    return reply.type('text/html; charset=utf-8').send(weatherPage(weather, cached))
  })
}

// Another server asked for all of us, and its log has the reason.
function failedElsewhere (error: unknown): never {
  throw error instanceof FST_RSP_CACHE_FILL_FAILED ? new FST_RSP_APP_WEATHER_UNREACHABLE('another server has just tried') : error
}
