/** A pattern over keys. Made by `KeyShape.glob` alone, so that no raw input ever acts as one. */
export interface Glob {
  /** As MATCH of SCAN takes it. */
  readonly match: string
  /** Whether a key is meant: exact, where MATCH alone might take a `*` across parts. */
  test (key: string): boolean
}

/** A part of a pattern in which `*` stands for any text, and nothing else is special. */
export class Wild {
  readonly text: string

  constructor (text: string) {
    this.text = text
  }
}

/** Marks a part of a pattern as one in which `*` stands for any text. */
export function wild (text: string): Wild {
  return new Wild(text)
}
