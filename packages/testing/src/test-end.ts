/** What ends what a test has opened: a test of tap, the last opened first. */
export interface TestEnd {
  teardown (end: () => unknown): unknown
}
