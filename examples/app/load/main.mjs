// npm run load: puts the weather of a server under load, and ends with 1 when a threshold was not kept.
import { readOptions } from './options.mjs'
import { startOwnServer } from './own-server.mjs'
import { missed, table } from './thresholds.mjs'
import { loadWeather, warmUp, warmUpSeconds } from './weather-load.mjs'

const say = text => { process.stdout.write(text) }

async function load (options) {
  const own = options.url === undefined ? await startOwnServer() : undefined
  if (own !== undefined) for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => own.stop().then(() => process.exit(1)))
  try {
    const target = { ...options, url: options.url ?? own.url }
    say(`${target.connections} connections ask ${target.url}/weather for ${target.seconds} s, after ${warmUpSeconds} s to warm up\n`)
    await warmUp(target)
    const figures = await loadWeather(target)
    say(table(figures))
    const lines = missed(figures, options)
    for (const line of lines) say(`not kept: ${line}\n`)
    return lines.length === 0
  } finally {
    await own?.stop()
  }
}

try {
  process.exitCode = await load(readOptions(process.argv.slice(2))) ? 0 : 1
} catch (error) {
  process.stderr.write(`${error.message}\n`)
  process.exitCode = 1
}
