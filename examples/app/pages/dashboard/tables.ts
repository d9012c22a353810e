import { make } from '../elements.ts'

/** What a cell shows: a text, or a bar with the text that says the same. */
export type Cell = string | { text: string, value: number, max: number }

/** Fills the body of a table; the first cell of a row is what it is about. Rows that say the same are left alone. */
export function fillRows (body: HTMLTableSectionElement, rows: ReadonlyArray<readonly Cell[]>): void {
  for (const [i, cells] of rows.entries()) {
    const said = JSON.stringify(cells)
    const row = body.rows[i] ?? body.insertRow()
    if (row.dataset.said === said) continue
    row.dataset.said = said
    row.replaceChildren(...cells.map((cell, place) => {
      const made = make(place === 0 ? 'th' : 'td', ...contentOf(cell))
      if (place === 0) made.scope = 'row'
      return made
    }))
  }
  while (body.rows.length > rows.length) body.deleteRow(-1)
}

function contentOf (cell: Cell): Array<string | Node> {
  if (typeof cell === 'string') return [cell]
  const bar = make('meter')
  bar.max = Math.max(1, cell.max)
  bar.value = cell.value
  // The text beside it says it already.
  bar.ariaHidden = 'true'
  return [bar, ' ', cell.text]
}
