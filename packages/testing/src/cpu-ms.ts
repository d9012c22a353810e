/** CPU time that this process spends on `work`, milliseconds: what else a busy machine does is not counted, as it is by a clock. */
export function cpuMsOf (work: () => void): number {
  const start = process.cpuUsage()
  work()
  const { user, system } = process.cpuUsage(start)
  return (user + system) / 1_000
}
