import type { Seeded } from '@respite/testing'

/** One of each kind that structuredClone keeps, and what is hard about some. */
export const kinds: readonly unknown[] = [
  null, true, '', 'tëxt \u0000 \u2028', '\uD800 alone', `\uDC00${'x'.repeat(300)}`, '\uFEFF', `\uFEFF${'long'.repeat(99)}`, `${'a'.repeat(199)}é😀`,
  0, -0, 1.5, -1, 255, 65_536, 2 ** 32, -(2 ** 31) - 1, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER, 2 ** 53, 1e300, Number.NaN, Infinity, -Infinity,
  12n, -(2n ** 200n), undefined,
  new Date(1_700_000_000_000.5), /a\/b[\uD800]/gi, new Map<unknown, unknown>([[{ a: 1 }, new Set([1n, undefined])], [Number.NaN, []]]),
  new Set(),
  [undefined, [null]], { a: undefined, b: { c: [] } }, { $: 1, b: { $: ['d', 5] } }, { '\uD800': 1, '\uFEFF': { '': 2 }, 7: 3 },
  new Int8Array([-1]), new Uint8Array([1, 2, 255]), new Uint8ClampedArray([7]), new Int16Array([-300]), new Uint16Array([300]), new Int32Array([-70_000]),
  new Uint32Array([70_000]),
  new Float32Array([0.5]), new Float64Array([0.1, -0]), new BigInt64Array([-5n]), new BigUint64Array([5n]), new Uint8Array([9]).buffer, new Uint8Array(0),
  { deep: [new Date(0), { list: [new Map([['k', new Uint8Array([1])]])] }] }
]

/** Any nesting of some of them. */
export function anyValue (chance: Seeded, depth: number): unknown {
  if (depth === 0 || chance.below(8) === 0) return leafOf(chance)
  const parts = Array.from({ length: chance.below(5) }, () => anyValue(chance, depth - 1))
  switch (chance.below(4)) {
    case 0: return parts
    case 1: return new Set(parts)
    case 2: return new Map(parts.map((part, i) => [i % 2 === 0 ? part : i, part]))
    default: return Object.fromEntries(parts.map((part, i) => [['$', '', '\uD800', 'a', `n${chance.below(99)}`][i], part]))
  }
}

function leafOf (chance: Seeded): unknown {
  switch (chance.below(7)) {
    case 0: return kinds[chance.below(kinds.length)]
    case 1: return chance.word() / 2 ** chance.below(40) * (chance.below(2) === 0 ? 1 : -1)
    case 2: return chance.word() - 2 ** 31
    case 3: return chance.bytes(chance.below(300)).toString('utf16le')
    case 4: return chance.bytes(chance.below(40)).toString('latin1')
    case 5: return new Uint8Array(chance.bytes(chance.below(40)))
    default: return `s${chance.below(99)}"$"`
  }
}
