import { openCluster } from '@respite/testing'
import t from 'tap'
import { copiesContract } from '../contracts/copies.ts'

copiesContract(t, async t => {
  const { open } = await openCluster(t)
  return { client: open() }
})
