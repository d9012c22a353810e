import FakeTimers from '@sinonjs/fake-timers'
import Fastify from 'fastify'
import { mock } from 'node:test'
import t, { type Test } from 'tap'
import compat, { RespiteStore } from '../../src/compat/index.ts'
import { served, statuses } from '../app.ts'

async function limited (t: Test, options: object = {}) {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(compat, { max: 1, timeWindow: 1_000, ...options })
  app.get('/', served)
  return app
}

t.test('tests that tick a mocked clock see windows end', async t => {
  const clocks = [
    () => {
      const clock = FakeTimers.install({ toFake: ['Date'] })
      return { tick: (ms: number) => { clock.tick(ms) }, end: () => clock.uninstall() }
    },
    () => {
      const clock = FakeTimers.install({ now: 0, toFake: ['Date', 'setTimeout', 'clearTimeout', 'performance'] })
      return { tick: (ms: number) => { clock.tick(ms) }, end: () => clock.uninstall() }
    },
    () => {
      mock.timers.enable({ apis: ['Date'] })
      return { tick: (ms: number) => mock.timers.tick(ms), end: () => mock.timers.reset() }
    },
    () => {
      mock.timers.enable({ apis: ['setTimeout', 'setInterval', 'setImmediate', 'Date'] })
      return { tick: (ms: number) => mock.timers.tick(ms), end: () => mock.timers.reset() }
    }
  ]
  for (const install of clocks) {
    for (const options of [{}, { store: RespiteStore }]) {
      const { tick, end } = install()
      try {
        const app = await limited(t, options)
        t.same(await statuses(app, 2, '/'), [200, 429])
        tick(999)
        t.same(await statuses(app, 1, '/'), [429])
        tick(1)
        t.same(await statuses(app, 2, '/'), [200, 429])
      } finally {
        end()
      }
    }
  }
})
