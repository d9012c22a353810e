import t from 'tap'
import { placeAt } from '../../src/weather/weather.ts'

t.test('neighbours share a place', async t => {
  t.same(placeAt(52.5201, 13.4049), placeAt(52.5199, 13.3951))
  t.same(placeAt(52.5201, 13.4049), { latitude: 52.52, longitude: 13.4 })
})

t.test('there is one equator', async t => {
  t.ok(Object.is(placeAt(-0.001, 0).latitude, 0))
})
