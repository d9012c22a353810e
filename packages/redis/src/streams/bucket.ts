import { keySlot } from '../clients/key-slot.ts'

const bucketCount = 16

/**
 * Which of a few hash tags a topic's keys carry. A blocking read of several streams must lie in one slot of a Cluster:
 * a tag for each topic would take a connection for each.
 */
export const bucketOf = (topic: string): string => `d${keySlot(topic.replace(/[{}]/g, '_')) % bucketCount}`
