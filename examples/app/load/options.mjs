import { parseArgs } from 'node:util'

/** Each with its bounds; the description ends the sentence "--name must be …". */
const numbers = {
  seconds: { default: 10, least: 1, most: 3600, description: 'a number of seconds, 1 to 3600' },
  connections: { default: 20, least: 1, most: 1000, whole: true, description: 'a whole number of connections, 1 to 1000' },
  // One expiry of the cache is 500 ms for a few requests: seen at p99, not at p95. The rest is for a busy machine of two cores.
  'p95-ms': { default: 100, least: 0.001, most: 60_000, description: 'a number of milliseconds, 0.001 to 60000' },
  'hit-rate': { default: 0.9, least: 0, most: 1, description: 'a share, 0 to 1' }
}

const asked = { url: { type: 'string' }, ...Object.fromEntries(Object.keys(numbers).map(name => [name, { type: 'string' }])) }

/**
 * What the command line asks for.
 * @throws TypeError that names the option, and the value it got
 */
export function readOptions (args) {
  const { values } = parseArgs({ args, options: asked })
  const number = name => numberOf(name, values[name])
  return {
    url: values.url === undefined ? undefined : urlOf(values.url),
    seconds: number('seconds'),
    connections: number('connections'),
    p95Ms: number('p95-ms'),
    hitRate: number('hit-rate')
  }
}

function numberOf (name, text) {
  const { default: otherwise, least, most, whole, description } = numbers[name]
  if (text === undefined) return otherwise
  const value = text.trim() === '' ? NaN : Number(text)
  if (value >= least && value <= most && (!whole || Number.isInteger(value))) return value
  throw new TypeError(`--${name} must be ${description}; got '${text}'`)
}

function urlOf (text) {
  const url = URL.canParse(text) ? new URL(text) : undefined
  // The load asks for /weather: a path would be left out.
  if (url !== undefined && /^https?:$/.test(url.protocol) && url.href === `${url.origin}/`) return url.origin
  throw new TypeError(`--url must be the address of a server, such as http://localhost:8080; got '${text}'`)
}
