// Imported before anything else: whatever asks this process for the date gets another than the rest of the machine.
const Real = Date
const offsetMs = Number(process.env.CLOCK_OFFSET_MS ?? 0)

class Skewed extends Real {
  static override now (): number {
    return Real.now() + offsetMs
  }

  constructor (...given: ConstructorParameters<DateConstructor> | []) {
    if (given.length === 0) super(Skewed.now())
    else super(...given as [number])
  }
}

if (offsetMs !== 0) globalThis.Date = Skewed as DateConstructor
