import { html, page } from '../html.ts'
import type { Weather } from './weather.ts'

/** The weather for people. */
export function weatherPage (weather: Weather, cached: string): string {
  const { latitude, longitude, temperatureC, humidityPercent, windKmh, description, observedAt } = weather
  return page(`Weather at ${latitude}, ${longitude}`, html`<h1>Weather at ${latitude}, ${longitude}</h1>
<dl>
<dt>Sky</dt><dd>${description}</dd>
<dt>Temperature</dt><dd>${temperatureC} °C</dd>
<dt>Humidity</dt><dd>${humidityPercent} %</dd>
<dt>Wind</dt><dd>${windKmh} km/h</dd>
<dt>Observed</dt><dd><time datetime="${observedAt}">${observedAt}</time></dd>
<dt>Cache</dt><dd>${cached}</dd>
</dl>`)
}
