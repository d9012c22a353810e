import type { Cluster } from 'ioredis'

/** Moves a slot to another master, with its keys; the client learns of it as everybody does. */
export async function moveSlot (client: Cluster, slot: number): Promise<void> {
  const masters = client.nodes('master')
  const ids = await Promise.all(masters.map(node => node.call('CLUSTER', 'MYID')))
  const from = masters.findIndex(node => `${node.options.host}:${node.options.port}` === client.slots[slot]![0])
  const to = (from + 1) % masters.length
  await masters[to]!.call('CLUSTER', 'SETSLOT', slot, 'IMPORTING', String(ids[from]))
  await masters[from]!.call('CLUSTER', 'SETSLOT', slot, 'MIGRATING', String(ids[to]))
  const keys = await masters[from]!.call('CLUSTER', 'GETKEYSINSLOT', slot, 10_000) as string[]
  await masters[from]!.call('MIGRATE', '127.0.0.1', masters[to]!.options.port!, '', 0, 5_000, 'KEYS', ...keys)
  for (const node of [masters[to]!, masters[from]!, masters[(from + 2) % masters.length]!]) await node.call('CLUSTER', 'SETSLOT', slot, 'NODE', String(ids[to]))
}
