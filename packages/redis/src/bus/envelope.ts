import { FST_RSP_BUS_NOT_SERIALISABLE, FST_RSP_BUS_TOO_LARGE } from '../errors.ts'

/** The version of the message's form. A reader that meets another takes the message for a missed one. */
export const schemaVersion = 1

/** The largest message, envelope included: 1 MiB. */
export const largestMessageBytes = 1_048_576

/**
 * A message as it is on the wire: UTF-8 JSON, `{"v":1,"o":"<origin>","s":<sequence>,"d":<value>}`, published to the
 * channel `<keyPrefix>:v1:bus:{<topic>}` (percent-encoded as keys are), with SPUBLISH in a Cluster that has it, else with PUBLISH.
 *
 * A publisher in another language needs only `v` and `d`. With `o` (1 to 64 characters, its own and new with each process)
 * and `s` (a whole number that grows by one with each message of this topic) its losses are noticed too.
 */
export interface Envelope {
  readonly origin: string
  /** 0: the publisher does not count. */
  readonly sequence: number
  readonly value: unknown
}

/** Why a message says nothing: it is none, or one of another version. */
export type Unreadable = 'malformed' | 'version'

/**
 * Writes a message as it goes over the wire.
 * @throws FST_RSP_BUS_NOT_SERIALISABLE, FST_RSP_BUS_TOO_LARGE
 */
export function encodeEnvelope (topic: string, { origin, sequence, value }: Envelope): string {
  let data: string | undefined
  try {
    data = JSON.stringify(value)
  } catch (cause) {
    throw Object.assign(new FST_RSP_BUS_NOT_SERIALISABLE(topic), { cause })
  }
  // undefined, a function or a symbol has no JSON.
  if (data === undefined) throw new FST_RSP_BUS_NOT_SERIALISABLE(topic)
  const text = `{"v":${schemaVersion},"o":"${origin}","s":${sequence},"d":${data}}`
  const bytes = Buffer.byteLength(text)
  if (bytes > largestMessageBytes) throw new FST_RSP_BUS_TOO_LARGE(topic, bytes, largestMessageBytes)
  return text
}

/** A message as it came: what it says, or why it says nothing. */
export function decodeEnvelope (bytes: Buffer): Envelope | Unreadable {
  if (bytes.length > largestMessageBytes) return 'malformed'
  let message: { v?: unknown, o?: unknown, s?: unknown, d?: unknown } | null
  try {
    message = JSON.parse(bytes.toString('utf8'))
  } catch {
    // Whoever can publish can publish anything.
    return 'malformed'
  }
  if (typeof message !== 'object' || message === null || !Number.isSafeInteger(message.v)) return 'malformed'
  if (message.v !== schemaVersion) return 'version'
  const { o: origin = '', s: sequence = 0, d: value } = message
  const sound = typeof origin === 'string' && origin.length <= 64 && Number.isSafeInteger(sequence) && (sequence as number) >= 0 && 'd' in message
  return sound ? { origin: origin as string, sequence: sequence as number, value } : 'malformed'
}
