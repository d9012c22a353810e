import * as Plot from '@observablehq/plot'
import { estimate, Registers } from '@respite/hll-tracking'
import { chance } from '../candidates/chance.mjs'
import { svgOf } from './svg.mjs'

const published = 100 * 1.04 / Math.sqrt(16_384)
const points = [...new Set([1, 2, 3, 4, 5].flatMap(power => [1, 2, 5].map(step => step * 10 ** power))), 1_000_000]

/**
 * Fills so many sketches with random ids, one by one, and looks at their estimates on the way.
 * @returns for each number of ids the root of the mean square of the relative errors
 */
export function measureErrors ({ sketches, seed, most = 1_000_000 }) {
  const word = chance(seed)
  const looked = points.filter(ids => ids <= most)
  const squares = looked.map(() => 0)
  const id = Buffer.alloc(8)
  for (let sketch = 0; sketch < sketches; sketch++) {
    const registers = new Registers()
    for (let ids = 1, at = 0; at < looked.length; ids++) {
      id.writeUInt32LE(word(), 0)
      id.writeUInt32LE(word(), 4)
      registers.add(id)
      if (ids === looked[at]) squares[at++] += (estimate(registers.histogram()) / ids - 1) ** 2
    }
  }
  return looked.map((ids, at) => ({ ids, standardErrorPercent: 100 * Math.sqrt(squares[at] / sketches) }))
}

/** The measured error beside the published one. */
export function drawErrors (errors, { sketches, seed }) {
  const first = errors[0].ids
  const last = errors.at(-1).ids
  const line = [first, last].map(ids => ({ ids, standardErrorPercent: published }))
  const place = { x: 'ids', y: 'standardErrorPercent' }
  return svgOf(document => Plot.plot({
    document,
    width: 720,
    height: 380,
    marginLeft: 50,
    marginRight: 40,
    marginBottom: 44,
    style: { fontSize: '13px' },
    x: { type: 'log', label: 'distinct ids', tickFormat: ids => Number.isInteger(Math.log10(ids)) ? ids.toLocaleString('en-US') : '' },
    y: { domain: [0, 1], grid: true, label: 'standard error of the estimate, %' },
    marks: [
      Plot.rectX([{ from: first, to: 256 }], { x1: 'from', x2: 'to', fill: 'currentColor', fillOpacity: 0.06 }),
      Plot.text(['up to 256 ids are kept:', 'the count is exact'], { x: () => 50, y: (_, i) => 0.14 - 0.055 * i, fill: 'currentColor' }),
      Plot.ruleY([0]),
      Plot.line(line, { ...place, stroke: 'var(--published)', strokeWidth: 2, strokeDasharray: '7 5' }),
      Plot.text(['published: 1.04/√m, m = 16,384 registers'], { x: () => 1_200, y: () => published + 0.045, fill: 'var(--published)' }),
      Plot.line(errors, { ...place, stroke: 'var(--measured)', strokeWidth: 2 }),
      Plot.dot(errors, { ...place, fill: 'var(--measured)', r: 3.5 }),
      Plot.text(['measured'], { x: () => 20_000, y: () => 0.58, fill: 'var(--measured)' })
    ]
  }), `Standard error of HyperLogLog by the number of distinct ids, measured on ${sketches} sketches (seed ${seed}), beside the published 1.04/√m`)
}
