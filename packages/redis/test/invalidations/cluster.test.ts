import { openCluster } from '@respite/testing'
import t from 'tap'
import { createIoredisAdapter } from '../../src/clients/ioredis.ts'
import { invalidationsContract } from '../contracts/invalidations.ts'
import { instanceOver } from '../instance.ts'

const { open } = await openCluster(t)
const client = open()

invalidationsContract(t, {
  writer: {
    call: (command, ...args) => client.call(command, ...args),
    callAll: (command, ...args) => Promise.all(client.nodes('master').map(node => node.call(command, ...args)))
  },
  instance: settings => instanceOver(t, createIoredisAdapter(client), settings)
})
