import { seeded } from '@respite/testing'
import t from 'tap'
import { our, theirs } from './both.ts'

const addresses = [
  '127.0.0.1', '192.0.2.1', 'Example.COM', '', '::', '::1', '::ffff:192.0.2.1', '::FFFF:c000:0201', '::1.2.3.4', '::ffff:0:1.2.3.4', 'fe80::1%eth0',
  '2001:0DB8:ABCD:0012:0000:0000:0000:0001', '2001:db8:0:1:0:0:0:1', '1:0:0:2:0:0:0:3', '1:2:0:4:5:6:7:8', '2001:db8:0:0:1:0:0:1', '0:0:1::', '64:ff9a::1.2.3.4', '64:ff9b:1::1.2.3.4'
]

t.test('addresses are what @fastify/rate-limit makes of them', async t => {
  const chance = seeded(t)
  const word = () => chance.below(3) === 0 ? '0' : chance.below(2 ** (1 + chance.below(16))).toString(16)
  const random = Array.from({ length: 300 }, () => Array.from({ length: 8 }, word).join(':'))
  for (const address of [...addresses, ...random]) {
    for (const bits of [undefined, 0, 1, 15, 16, 17, 48, 56, 63, 64, 65, 127, 128]) t.equal(our.normalizeIP(address, bits), theirs.normalizeIP(address, bits), `${address}/${bits}`)
  }
})

t.test('clients behind a NAT64 are told apart', async t => {
  t.equal(our.normalizeIP('64:ff9b::192.0.2.1'), '192.0.2.1')
  t.equal(our.normalizeIP('64:FF9B::c000:0202'), '192.0.2.2')
})
