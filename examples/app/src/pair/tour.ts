const closed = `it is closed; to sign in there, start with a token:
  DASHBOARD_TOKEN=$(openssl rand -base64 36 | tee /dev/stderr) npm run start:pair`

/**
 * Commands that show what two servers over one Redis share; each second request goes to the other server.
 * @param options.hasToken - whether the dashboards open to those who show DASHBOARD_TOKEN
 */
export function tour (url: string, ports: readonly number[], { hasToken }: { hasToken: boolean }): string {
  const json = "-H 'content-type: application/json'"
  return `
Two servers (127.0.0.1:${ports.join(', 127.0.0.1:')}) over one Redis, in turn behind ${url}; the header x-served-by tells which answered.

A session made by one is known to the other, and a second log-in ends the first for both:
  curl -s ${json} -d '{"username":"ada","password":"correct horse"}' ${url}/signup
  TOKEN=$(curl -s ${json} -d '{"username":"ada","password":"correct horse"}' ${url}/login | sed 's/.*:"\\(.*\\)"}/\\1/')
  for i in 1 2; do curl -s -i -H "authorization: Bearer $TOKEN" ${url}/sessions | grep -iE '^HTTP|x-served-by'; done

A limit is one limit, whoever answers (the second call is refused):
  for i in 1 2; do curl -s -H "authorization: Bearer $TOKEN" ${url}/ping; echo; done

A change through one is seen by the other at once, though both had the list in memory:
  curl -s ${json} -d '{"title":"first","content":"seen by both"}' ${url}/entries
${ports.map(port => `  curl -s http://127.0.0.1:${port}/entries`).join('\n')}

Each server has a dashboard of its own, open at this machine:
${ports.map(port => `  http://127.0.0.1:${port}/dashboard`).join('\n')}
Through ${url}/dashboard ${hasToken ? 'you sign in with your DASHBOARD_TOKEN, and see one of the two.' : closed}

Ctrl-C ends all of it.
`
}
