import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { freePort } from '@respite/testing'
import t, { type Test } from 'tap'
import { openMeteo } from '../../src/weather/open-meteo.ts'

const berlin = { latitude: 52.52, longitude: 13.41 }
const current = { time: 1_700_000_000, temperature_2m: 7.4, relative_humidity_2m: 81, wind_speed_10m: 12.6, weather_code: 61 }

async function service (t: Test, listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => { server.closeAllConnections(); server.close() })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

t.test('asks for the place and reads the answer', async t => {
  let asked = ''
  const url = await service(t, (request, response) => {
    asked = request.url!
    response.end(JSON.stringify({ current }))
  })
  t.same(await openMeteo(url).at(berlin), { ...berlin, temperatureC: 7.4, humidityPercent: 81, windKmh: 12.6, description: 'rain', observedAt: '2023-11-14T22:13:20.000Z' })
  t.match(Object.fromEntries(new URL(asked, url).searchParams), { latitude: '52.52', longitude: '13.41', timeformat: 'unixtime' })
})

const failures: Record<string, [RequestListener, RegExp]> = {
  'an error of the service': [(_, response) => { response.writeHead(500).end('oops') }, /it answered 500/],
  'an answer that is not JSON': [(_, response) => { response.end('<html>') }, /JSON/],
  'an answer that is no weather': [(_, response) => { response.end('{"current":{"time":"x"}}') }, /its answer is no weather/],
  'no answer in time': [() => undefined, /no answer within 50 ms/],
  'a cut connection': [request => { request.socket.destroy() }, /reached/]
}
for (const [what, [listener, message]] of Object.entries(failures)) {
  t.test(`${what} is a 502 that says why`, async t => {
    // A deadline that passes only where it is meant to.
    const deadlineMs = what === 'no answer in time' ? 50 : 30_000
    await t.rejects(openMeteo(await service(t, listener), deadlineMs).at(berlin), { code: 'FST_RSP_APP_WEATHER_UNREACHABLE', statusCode: 502, message })
  })
}

t.test('nobody at the address is a 502 that says so', async t => {
  await t.rejects(openMeteo(`http://127.0.0.1:${await freePort()}`).at(berlin), { statusCode: 502, message: /ECONNREFUSED/ })
})
