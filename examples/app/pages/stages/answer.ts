/** What came back from the server. */
export interface Answer {
  /** 0 where there was no answer. */
  readonly status: number
  readonly headers: { get (name: string): string | null }
  /** Read as JSON; undefined where it is none. */
  readonly body: unknown
  /** When it was there, by the clock of the page. */
  readonly atMs: number
}

/** How long a refusal asks to wait; undefined where it does not say. */
export function retryAfterSeconds ({ headers }: Pick<Answer, 'headers'>): number | undefined {
  const field = headers.get('retry-after')
  return field !== null && /^\d+$/.test(field) ? Number(field) : undefined
}

/** What the server says of itself: the message of a refusal, or its error where it has no other. */
export function messageOf ({ body }: Pick<Answer, 'body'>): string {
  const { message, error } = Object(body) as { message?: unknown, error?: unknown }
  return typeof message === 'string' ? message : typeof error === 'string' ? error : ''
}

/** A refusal in words, with its wait. */
export function refusalText (answer: Answer): string {
  if (answer.status === 0) return 'The server cannot be reached.'
  const message = messageOf(answer) || 'the server says no more'
  const wait = retryAfterSeconds(answer)
  // The plugin's own message tells the wait already.
  const again = wait === undefined || message.includes('retry in') ? '' : ` Try again in ${wait} s.`
  return `Refused with ${answer.status}: ${message}${/[.!?]$/.test(message) ? '' : '.'}${again}`
}
