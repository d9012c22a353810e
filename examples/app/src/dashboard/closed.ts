import { html, page } from '../html.ts'

/** Why somebody is not let in, and what can be done about it. */
export const closedWords = 'The dashboard is open at this machine alone, by http://localhost and straight to this server. Behind a proxy, in a container and from elsewhere it needs DASHBOARD_TOKEN, a secret of 32 characters or more that the server is started with.'

/** The same as a page. */
export const closedPage = page('Respite: the dashboard is closed', html`<main><h1>The dashboard is closed</h1><p>${closedWords}</p><p><a href="/">Battle Mode</a></p></main>`)
