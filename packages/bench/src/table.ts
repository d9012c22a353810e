/** Rows as text, the first one as the head; all columns but the first to the right. */
export function table (rows: readonly (readonly string[])[]): string {
  const columns = Math.max(0, ...rows.map(row => row.length))
  const widths = Array.from({ length: columns }, (_, i) => Math.max(...rows.map(row => row[i]?.length ?? 0)))
  const lines = rows.map(row => widths.map((width, i) => {
    const cell = row[i] ?? ''
    return i === 0 ? cell.padEnd(width) : cell.padStart(width)
  }).join('  ').trimEnd())
  lines.splice(1, 0, widths.map(width => '-'.repeat(width)).join('  '))
  return lines.join('\n')
}
