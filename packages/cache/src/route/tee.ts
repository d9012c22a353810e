import { Readable } from 'node:stream'

/** A stream on its way to a client, and its bytes once it has ended. */
export interface Tee {
  readonly client: Readable
  /** Undefined when it broke off, held more than it may, or something other than bytes and text. */
  readonly body: Promise<Buffer | undefined>
}

/**
 * Keeps the bytes of a stream while it passes. Up to `maxBytes` it is read as fast as it comes, whatever the client does:
 * one that is slow, or leaves, does not hold up the others that wait for this answer. Beyond, it is the client's alone.
 */
export function tee (source: Readable, maxBytes: number): Tee {
  let chunks: Buffer[] = []
  let size = 0
  let left = false
  let settle!: (body: Buffer | undefined) => void
  const body = new Promise<Buffer | undefined>(resolve => { settle = resolve })
  const client = new Readable({
    highWaterMark: maxBytes,
    read: () => { source.resume() },
    destroy (error, done) {
      left = true
      if (size > maxBytes) source.destroy()
      else source.resume()
      done(error)
    }
  })
  const broken = (error?: Error) => {
    settle(undefined)
    if (!left) client.destroy(error)
  }
  source.on('data', (chunk: unknown) => {
    if (typeof chunk !== 'string' && !(chunk instanceof Uint8Array)) {
      source.destroy(new TypeError('a stream of an answer holds text and bytes alone'))
      return
    }
    const bytes = Buffer.from(chunk as string)
    size += bytes.length
    if (size <= maxBytes) {
      chunks.push(bytes)
    } else {
      chunks = []
      settle(undefined)
      if (left) source.destroy()
    }
    if (!left && !client.push(bytes) && size > maxBytes) source.pause()
  })
  source.once('end', () => {
    settle(Buffer.concat(chunks))
    if (!left) client.push(null)
  })
  source.once('error', broken)
  // A close without an end, and without an error: it was destroyed.
  source.once('close', () => { if (!source.readableEnded) broken() })
  // Neither end nor close comes again of one that was over before.
  if (source.readableEnded) {
    settle(undefined)
    client.push(null)
  } else if (source.destroyed) broken(source.errored ?? undefined)
  return { client, body }
}
