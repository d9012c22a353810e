/** What came back, with the body as it was. */
export interface Answer {
  status: number
  headers: Headers
  text: string
  /** The body, read as JSON. */
  readonly json: any
}

/** Every session token that a server handed out in this process. */
export const tokensSeen = new Set<string>()

/** A person or a program, at an address of its own. */
export interface Client {
  get (path: string, headers?: Record<string, string>): Promise<Answer>
  /** Asks every server once. */
  all (path: string): Promise<Answer[]>
  post (path: string, body?: unknown): Promise<Answer>
  put (path: string, body: unknown): Promise<Answer>
  delete (path: string): Promise<Answer>
  /** The same, with a token. */
  as (token: string): Client
}

/**
 * @param urls - of the servers: each request goes to the next one in turn
 * @param address - what X-Forwarded-For says; the servers trust loopback
 */
export function client (urls: string | readonly string[], address: string, token?: string): Client {
  const servers = [urls].flat()
  let turn = 0
  const send = async (method: string, path: string, body?: unknown, more: Record<string, string> = {}): Promise<Answer> => {
    const response = await fetch(servers[turn++ % servers.length] + path, {
      method,
      headers: {
        'x-forwarded-for': address,
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...more
      },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) })
    })
    const text = await response.text()
    if (path === '/login' && response.ok) tokensSeen.add(JSON.parse(text).sessionToken)
    return { status: response.status, headers: response.headers, text, get json () { return JSON.parse(text) } }
  }
  return {
    get: (path, headers) => send('GET', path, undefined, headers),
    async all (path) {
      const answers = []
      for (let i = 0; i < servers.length; i++) answers.push(await send('GET', path))
      return answers
    },
    post: (path, body) => send('POST', path, body),
    put: (path, body) => send('PUT', path, body),
    delete: path => send('DELETE', path),
    as: newToken => client(servers, address, newToken)
  }
}
