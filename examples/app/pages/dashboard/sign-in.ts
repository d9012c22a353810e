import { element, say } from '../elements.ts'

const form = element<HTMLFormElement>('sign-in')
const field = element<HTMLInputElement>('token')

async function signIn (): Promise<string | undefined> {
  const response = await fetch('/dashboard/session', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ token: field.value })
  })
  const { error } = await response.json() as { error?: string }
  return response.status === 429 ? `Too many tries: again in ${response.headers.get('retry-after')} s.` : error
}

form.addEventListener('submit', async event => {
  event.preventDefault()
  say('sign-in-status', '')
  const wrong = await signIn().catch(() => 'The server does not answer.')
  if (wrong === undefined) return location.assign('/dashboard')
  say('sign-in-status', wrong)
  field.select()
})
