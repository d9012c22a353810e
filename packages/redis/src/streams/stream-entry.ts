/** One entry of a stream, as the server has it. */
export interface StreamEntry {
  /** As the server writes it: what others put there may have numbers that no number here can hold. */
  readonly id: string
  readonly message: Buffer
}

type RawEntry = [Buffer, Buffer[] | null]

/** The entries of an answer of XREAD or XREADGROUP, by key. */
export function entriesOf (reply: unknown): Map<string, StreamEntry[]> {
  return new Map((reply as [Buffer, RawEntry[]][] | null ?? []).map(([key, entries]) => [key.toString(), entries.map(entryOf)]))
}

// What others have put there may have any fields: an empty message is none.
function entryOf ([id, fields]: RawEntry): StreamEntry {
  const at = fields?.findIndex((field, i) => i % 2 === 0 && field.toString() === 'm') ?? -1
  return { id: id.toString(), message: at === -1 ? Buffer.alloc(0) : fields![at + 1]! }
}
