/** A colour of the style sheet, as it is in the light or dark of the moment. */
export function themeColor (name: `--${string}`): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim()
}

/** Calls back when the reader turns from light to dark or back. */
export function onThemeChange (listener: () => void): void {
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', listener)
}

/** Whether the reader has asked for less motion. */
export function prefersReducedMotion (): boolean {
  return matchMedia('(prefers-reduced-motion: reduce)').matches
}
