import closeWithGrace from 'close-with-grace'

/** The part of a logger that is needed here. */
export interface ShutdownLog {
  info (message: string): void
  error (error: unknown): void
}

const closeWithinMs = 10_000

/** Closes on SIGINT, SIGTERM, the end of a process that started this one, and an error nobody caught; then ends the process, within 10 s. */
export function shutDownWith (close: () => Promise<unknown>, log: ShutdownLog): void {
  const grace = closeWithGrace({ delay: closeWithinMs, logger: log, skip: ['SIGINT', 'SIGTERM'] }, async ({ err }) => {
    if (err) log.error(err)
    await close()
  })
  let closing = false
  // A terminal sends Ctrl-C to the whole group, and `npm start` passes it on: what comes twice means once.
  const once = (why: string) => {
    if (closing) return
    closing = true
    log.info(`${why}: closing`)
    grace.close()
  }
  process.on('SIGINT', once)
  process.on('SIGTERM', once)
  if (process.send === undefined) return
  process.on('disconnect', () => once('disconnect'))
  // It has gone already, while this one was starting.
  if (!process.connected) once('disconnect')
}
