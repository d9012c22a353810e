import { FST_RSP_TRACKING_HLL_CORRUPT } from '../errors.ts'
import { Registers, registerBytes, registerCount } from './registers.ts'

const magic = Buffer.from('HYLL')
const headerBytes = 16
const dense = 0
const sparse = 1

/**
 * Reads a HyperLogLog as Redis keeps it, dense or sparse.
 * @param value - the bytes of the key, as GET answers them
 * @throws FST_RSP_TRACKING_HLL_CORRUPT
 * @see Redis, src/hyperloglog.c, "the sparse representation"
 */
export function decodeHyperLogLog (value: Buffer): Registers {
  if (value.length < headerBytes || !value.subarray(0, 4).equals(magic)) throw new FST_RSP_TRACKING_HLL_CORRUPT('no HYLL header')
  const body = value.subarray(headerBytes)
  if (value[4] === dense) {
    if (body.length !== registerBytes) throw new FST_RSP_TRACKING_HLL_CORRUPT(`dense, with ${body.length} bytes`)
    return new Registers(Uint8Array.from(body))
  }
  if (value[4] === sparse) return readSparse(body)
  throw new FST_RSP_TRACKING_HLL_CORRUPT(`encoding ${value[4]}`)
}

/**
 * Writes registers as Redis keeps them, dense: SET it, and PFCOUNT, PFADD and PFMERGE take it for their own.
 * The cached cardinality is marked stale, so that Redis counts anew.
 */
export function encodeHyperLogLog (registers: Registers): Buffer {
  const value = Buffer.alloc(headerBytes + registerBytes)
  magic.copy(value)
  value[4] = dense
  value[15] = 0x80
  value.set(registers.bytes, headerBytes)
  return value
}

// 00llllll: l+1 zeros. 01llllll llllllll: l+1 zeros. 1vvvvvll: l+1 registers of value v+1.
function readSparse (body: Buffer): Registers {
  const registers = new Registers()
  let index = 0
  for (let at = 0; at < body.length; at++) {
    const opcode = body[at]!
    const [value, run] = opcode & 0x80 ? [(opcode >>> 2 & 31) + 1, opcode & 3] : opcode & 0x40 ? [0, longRun(body, at++)] : [0, opcode]
    const end = index + run + 1
    if (end > registerCount) throw new FST_RSP_TRACKING_HLL_CORRUPT(`sparse, with more than ${registerCount} registers`)
    if (value > 0) for (let i = index; i < end; i++) registers.raise(i, value)
    index = end
  }
  if (index !== registerCount) throw new FST_RSP_TRACKING_HLL_CORRUPT(`sparse, with ${index} registers`)
  return registers
}

function longRun (body: Buffer, at: number): number {
  if (at + 1 === body.length) throw new FST_RSP_TRACKING_HLL_CORRUPT('sparse, cut off within an opcode')
  return (body[at]! & 63) << 8 | body[at + 1]!
}
