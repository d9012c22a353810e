import { startCluster } from '@respite/testing'
import { Cluster } from 'ioredis'
import t from 'tap'
import { createIoredisAdapter } from '../../src/clients/ioredis.ts'
import { invalidationsContract } from '../contracts/invalidations.ts'
import { instanceOver } from '../instance.ts'

const servers = await startCluster()
const client = new Cluster([...servers.startupNodes])
t.teardown(async () => {
  client.disconnect()
  await servers.stop()
})

invalidationsContract(t, {
  writer: {
    call: (command, ...args) => client.call(command, ...args),
    callAll: (command, ...args) => Promise.all(client.nodes('master').map(node => node.call(command, ...args)))
  },
  instance: settings => instanceOver(t, createIoredisAdapter(client), settings)
})
