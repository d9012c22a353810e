/** Where a message lies in a topic's stream: when it was published, and its number. */
export interface StreamId {
  /** Milliseconds since the epoch, by the server's clock; never lower than that of the message before. */
  readonly ms: number
  /** Grows by one with each message of the topic: a hole is a loss, and there is none without a hole. */
  readonly number: number
}

/** Before every message. */
export const beginning: StreamId = Object.freeze({ ms: 0, number: 0 })

const form = /^(\d{1,16})-(\d{1,16})$/

/** @returns undefined when it is none, or one that numbers here cannot hold: rounded, it would be another's */
export function parseStreamId (text: string): StreamId | undefined {
  const found = form.exec(text)
  const [ms, number] = [Number(found?.[1]), Number(found?.[2])]
  return Number.isSafeInteger(ms) && Number.isSafeInteger(number) ? { ms, number } : undefined
}

/**
 * Where to read on behind an id of which only the number is beyond those here: ours may follow, with a later time.
 * @returns undefined where none of ours can follow
 */
export function streamIdBehind (text: string): StreamId | undefined {
  return parseStreamId(`${Number(text.split('-')[0]) + 1}-0`)
}

export const streamIdText = ({ ms, number }: StreamId): string => `${ms}-${number}`

/** Negative where `a` comes first. */
export const compareStreamIds = (a: StreamId, b: StreamId): number => a.ms - b.ms || a.number - b.number
