import t from 'tap'
import { openCluster } from '@respite/testing'
import { assemble } from '../assemble.ts'
import { routeContract } from '../contracts/route.ts'

const { open } = await openCluster(t)

routeContract(t, 'Cluster', keyPrefix => assemble({ client: open(), boot: 'wait', keyPrefix }))
