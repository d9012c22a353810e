import t from 'tap'
import { ContractRegistry, type Identity } from '../src/contracts.ts'

const identity: Identity = { userId: () => 'u', subject: () => 's' }

t.test('what one provides, another finds and uses', async t => {
  const contracts = new ContractRegistry()
  t.equal(contracts.find('identity'), undefined)
  contracts.provide('identity', identity)
  t.equal(contracts.find('identity'), identity)
  t.equal(contracts.use('identity'), identity)
})

t.test('what nobody provides cannot be used, and nothing is provided twice; both say what', async t => {
  const contracts = new ContractRegistry()
  t.throws(() => contracts.use('clientIp'), { code: 'FST_RSP_CONTRACT_MISSING', message: /'clientIp'/ })
  contracts.provide('identity', identity)
  t.throws(() => contracts.provide('identity', { ...identity }), { code: 'FST_RSP_CONTRACT_TAKEN', message: /'identity'/ })
  t.equal(contracts.use('identity'), identity)
})
