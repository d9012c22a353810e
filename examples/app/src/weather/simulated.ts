import { setTimeout } from 'node:timers/promises'
import type { WeatherSource } from './weather.ts'

/** An upstream that needs no network and takes its time: 500 ms for an answer made up from the place. */
export function simulated (now: () => string): WeatherSource {
  return {
    name: 'simulated',
    async at ({ latitude, longitude }, signal) {
      await setTimeout(500, undefined, { signal })
      return {
        latitude,
        longitude,
        temperatureC: Math.round(300 - 6 * Math.abs(latitude)) / 10,
        humidityPercent: 40 + Math.round(Math.abs(longitude)) % 50,
        windKmh: Math.round(Math.abs(latitude * longitude)) % 60,
        description: 'simulated',
        observedAt: now()
      }
    }
  }
}
