/** The sizes of what begins with 0xc0 to 0xdf: bytes of its length field, bytes beside the length, and whether its length counts items, or pairs. */
interface Head { readonly lengthBytes: 0 | 1 | 2 | 4, readonly fixed: number, readonly counts: 'bytes' | 'items' | 'pairs', readonly plain: boolean }

const of = (lengthBytes: Head['lengthBytes'], fixed: number, { counts = 'bytes', plain = true }: Partial<Head> = {}): Head => ({ lengthBytes, fixed, counts, plain })
const extension = { plain: false }

/** @see https://github.com/msgpack/msgpack/blob/master/spec.md, formats, from 0xc0 on */
const heads: readonly (Head | undefined)[] = [
  of(0, 0), undefined, of(0, 0), of(0, 0), // nil, never used, false, true
  of(1, 0, extension), of(2, 0, extension), of(4, 0, extension), // bin 8, 16, 32
  of(1, 1, extension), of(2, 1, extension), of(4, 1, extension), // ext 8, 16, 32
  of(0, 4), of(0, 8), // float 32, 64
  of(0, 1), of(0, 2), of(0, 4), of(0, 8), // uint 8 to 64
  of(0, 1), of(0, 2), of(0, 4), of(0, 8), // int 8 to 64
  of(0, 2, extension), of(0, 3, extension), of(0, 5, extension), of(0, 9, extension), of(0, 17, extension), // fixext 1 to 16
  of(1, 0), of(2, 0), of(4, 0), // str 8, 16, 32
  of(2, 0, { counts: 'items' }), of(4, 0, { counts: 'items' }), // array 16, 32
  of(2, 0, { counts: 'pairs' }), of(4, 0, { counts: 'pairs' }) // map 16, 32
]

/**
 * Walks over MessagePack without building anything. A decoder makes room for as many items as an array says it has: a few bytes
 * of a stranger, arrays within arrays, would take all memory. So no more may be announced than there are bytes left.
 * @returns whether it holds no bytes and no extensions
 * @throws RangeError when it announces more than it holds
 */
export function isPlainMsgpack (bytes: Uint8Array): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let plain = true
  let at = 0
  let open = 1
  while (open > 0) {
    if (open > bytes.length - at) throw new RangeError('it announces more than it holds')
    open--
    const first = bytes[at++]!
    if (first < 0x80 || first >= 0xE0) continue
    if (first < 0x90) open += 2 * (first - 0x80)
    else if (first < 0xA0) open += first - 0x90
    else if (first < 0xC0) at += first - 0xA0
    else {
      const head = heads[first - 0xC0]
      if (head === undefined) throw new RangeError('it has a byte that means nothing')
      const length = lengthAt(view, at, head.lengthBytes)
      at += head.lengthBytes + head.fixed
      if (head.counts === 'bytes') at += length
      else open += head.counts === 'pairs' ? 2 * length : length
      plain &&= head.plain
    }
  }
  return plain
}

function lengthAt (view: DataView, at: number, lengthBytes: Head['lengthBytes']): number {
  switch (lengthBytes) {
    case 0: return 0
    case 1: return view.getUint8(at)
    case 2: return view.getUint16(at)
    case 4: return view.getUint32(at)
  }
}
