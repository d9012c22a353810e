/** A destination for pino that keeps its lines. */
export function logLines (): { lines: string[], stream: { write (line: string): void } } {
  const lines: string[] = []
  return { lines, stream: { write: line => { lines.push(line) } } }
}
