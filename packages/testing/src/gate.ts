/** A step that waits until the test lets it go on: for races told step by step. */
export interface Gate {
  /** Called by the step: resolves once the gate is open. */
  pass (): Promise<void>
  /** Resolves when a step has arrived at the gate. */
  readonly reached: Promise<void>
  open (): void
}

/** A closed gate. Once open it stays so. */
export function gate (): Gate {
  let open!: () => void
  let arrive!: () => void
  const opened = new Promise<void>(resolve => { open = resolve })
  const reached = new Promise<void>(resolve => { arrive = resolve })
  return {
    reached,
    open,
    pass () {
      arrive()
      return opened
    }
  }
}
