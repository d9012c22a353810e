import { FST_RSP_APP_WEATHER_UNREACHABLE } from '../errors.ts'
import type { Place, Weather, WeatherSource } from './weather.ts'

interface Answer {
  current: { time: number, temperature_2m: number, relative_humidity_2m: number, wind_speed_10m: number, weather_code: number }
}

// WMO code table 4677, as Open-Meteo groups it: each begins at its number.
// @see https://open-meteo.com/en/docs, "Weather variable documentation"
const descriptions: ReadonlyArray<readonly [number, string]> = [
  [95, 'thunderstorm'], [85, 'snow showers'], [80, 'rain showers'], [71, 'snow'], [61, 'rain'], [51, 'drizzle'], [45, 'fog'], [3, 'overcast'], [1, 'partly cloudy'], [0, 'clear sky']
]

/**
 * The weather service of open-meteo.com, which asks for no key.
 * @param url - the service, without a path
 * @param deadlineMs - for the whole answer
 * @throws FST_RSP_APP_WEATHER_UNREACHABLE
 */
export function openMeteo (url: string, deadlineMs = 5_000): WeatherSource {
  return {
    name: 'open-meteo',
    async at (place, signal) {
      const deadline = AbortSignal.timeout(deadlineMs)
      try {
        const response = await fetch(address(url, place), { signal: signal ? AbortSignal.any([signal, deadline]) : deadline })
        if (!response.ok) throw new FST_RSP_APP_WEATHER_UNREACHABLE(`it answered ${response.status}`)
        return weatherOf(place, await response.json())
      } catch (cause) {
        if (cause instanceof FST_RSP_APP_WEATHER_UNREACHABLE) throw cause
        const why = deadline.aborted ? `no answer within ${deadlineMs} ms` : reasonOf(cause as Error)
        throw Object.assign(new FST_RSP_APP_WEATHER_UNREACHABLE(why), { cause })
      }
    }
  }
}

function address (url: string, { latitude, longitude }: Place): URL {
  const address = new URL('/v1/forecast', url)
  const variables = 'temperature_2m,relative_humidity_2m,wind_speed_10m,weather_code'
  address.search = String(new URLSearchParams({ latitude: String(latitude), longitude: String(longitude), current: variables, timeformat: 'unixtime' }))
  return address
}

/** @throws FST_RSP_APP_WEATHER_UNREACHABLE when it is no weather */
function weatherOf (place: Place, answer: unknown): Weather {
  const current = (answer as Partial<Answer> | null)?.current
  const numbers = [current?.time, current?.temperature_2m, current?.relative_humidity_2m, current?.wind_speed_10m, current?.weather_code]
  if (!current || !numbers.every(Number.isFinite)) throw new FST_RSP_APP_WEATHER_UNREACHABLE('its answer is no weather')
  return {
    ...place,
    temperatureC: current.temperature_2m,
    humidityPercent: current.relative_humidity_2m,
    windKmh: current.wind_speed_10m,
    description: descriptions.find(([from]) => current.weather_code >= from)?.[1] ?? 'unknown',
    observedAt: new Date(current.time * 1000).toISOString()
  }
}

// fetch says only "fetch failed"; what failed is its cause: a code such as ENOTFOUND where there is one.
function reasonOf (error: Error): string {
  const inner = (error.cause ?? error) as NodeJS.ErrnoException
  return inner.code ?? (inner.message || inner.name)
}
