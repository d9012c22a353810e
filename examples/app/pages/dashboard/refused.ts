/** Why the events do not come: nobody may look from here, too many look on, something else that may be over soon, or that is over. */
export type Refusal = 'closed' | 'crowded' | 'lost' | 'over'

const answerMs = 5_000

/** Asks why the events do not come, which a browser does not tell of an EventSource. */
export async function whyRefused (): Promise<Refusal> {
  const page = await ask('/dashboard')
  if (page?.type === 'opaqueredirect' || page?.status === 403) return 'closed'
  const events = page?.ok ? await ask('/dashboard/events') : undefined
  if (events?.ok) return 'over'
  // A proxy that finds no server answers with 503, too, and with a page of its own.
  return events?.status === 503 && events.headers.get('content-type')?.startsWith('application/json') ? 'crowded' : 'lost'
}

async function ask (path: string): Promise<Response | undefined> {
  const asked = new AbortController()
  const tooLate = setTimeout(() => { asked.abort() }, answerMs)
  try {
    return await fetch(path, { redirect: 'manual', cache: 'no-store', signal: asked.signal })
  } catch {
    return undefined // the server is away
  } finally {
    clearTimeout(tooLate)
    // What is told beyond the status is not read: events would never end.
    asked.abort()
  }
}
