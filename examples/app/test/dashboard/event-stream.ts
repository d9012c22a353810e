import { type IncomingMessage, request } from 'node:http'
import { once } from 'node:events'
import type { Test } from 'tap'

/** An event as a browser sees it. */
export interface Received { event: string, id: string | undefined, data: any }

/** A connection to the events of the dashboard; it ends with the test. */
export interface EventStream {
  response: IncomingMessage
  /** The next event of this name. */
  next (event: string): Promise<Received>
  close (): void
}

/** Listens as a browser would. @param lastId - of the last event that it has */
export async function listen (t: Test, url: string, lastId?: string): Promise<EventStream> {
  const asked = request(`${url}/dashboard/events`, { agent: false, headers: lastId === undefined ? {} : { 'last-event-id': lastId } }).end()
  asked.on('error', () => undefined) // the test is over, or closes it
  const [response] = await once(asked, 'response') as [IncomingMessage]
  t.teardown(() => asked.destroy())
  const events = received(response.setEncoding('utf8'))
  const next = async (event: string): Promise<Received> => {
    while (true) {
      const { value, done } = await events.next()
      if (done) throw new Error(`the stream ended before ${event}`)
      if (value.event === event) return value
    }
  }
  return { response, next, close: () => asked.destroy() }
}

async function * received (response: IncomingMessage): AsyncGenerator<Received, undefined> {
  let text = ''
  for await (const part of response) {
    text += part
    for (let end = text.indexOf('\n\n'); end !== -1; end = text.indexOf('\n\n')) {
      const fields = new Map(text.slice(0, end).split('\n').map(line => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)]))
      text = text.slice(end + 2)
      yield { event: fields.get('event')!, id: fields.get('id'), data: JSON.parse(fields.get('data')!) }
    }
  }
}
