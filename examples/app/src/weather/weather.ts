/** A place, in degrees; rounded to hundredths, about a kilometre, so that neighbours share an answer. */
export interface Place {
  latitude: number
  longitude: number
}

/** The weather at a place. */
export interface Weather extends Place {
  temperatureC: number
  humidityPercent: number
  windKmh: number
  description: string
  /** ISO 8601. */
  observedAt: string
}

/** Where weather comes from. */
export interface WeatherSource {
  /** The cache's key is made of it. */
  readonly name: string
  /** @param signal - ends the asking */
  at (place: Place, signal?: AbortSignal): Promise<Weather>
}

const hundredths = (degrees: number) => Math.round(degrees * 100) / 100 + 0 // no -0, which would be a key of its own

/** The place that stands for this point. */
export function placeAt (latitude: number, longitude: number): Place {
  return { latitude: hundredths(latitude), longitude: hundredths(longitude) }
}
