import t from 'tap'
import { tour } from '../../src/pair/tour.ts'

t.test('tells where the dashboards are, and what opens them through the proxy', async t => {
  const without = tour('http://localhost:8080', [4001, 4002], { hasToken: false })
  for (const port of [4001, 4002]) t.match(without, `  http://127.0.0.1:${port}/dashboard\n`)
  t.match(without, /Through http:\/\/localhost:8080\/dashboard it is closed; .*\n {2}DASHBOARD_TOKEN=.+ npm run start:pair\n/)
  t.match(tour('http://localhost:8080', [4001, 4002], { hasToken: true }), 'Through http://localhost:8080/dashboard you sign in with your DASHBOARD_TOKEN')
})
