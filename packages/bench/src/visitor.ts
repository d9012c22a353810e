/** Logs a user in at a candidate's server and returns the cookie to send, `name=value`. @throws Error when there is none */
export async function login (origin: string, userId: string): Promise<string> {
  const response = await fetch(`${origin}/login`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ userId }) })
  const [cookie] = response.headers.getSetCookie()
  if (response.status !== 200 || cookie === undefined) throw new Error(`log-in of ${userId} answered ${response.status} without a cookie: ${await response.text()}`)
  return cookie.split(';', 1)[0]!
}

/** The same cookie, not signed: one character is another. */
export function forged (cookie: string): string {
  const at = cookie.length - 4
  return cookie.slice(0, at) + (cookie[at] === 'A' ? 'B' : 'A') + cookie.slice(at + 1)
}
