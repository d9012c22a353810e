import AxeBuilder from '@axe-core/playwright'
import type { Page } from 'playwright-core'
import type { Test } from 'tap'

/** No serious violation that axe can find, and nothing wider than the window. */
export async function assertAccessible (t: Test, page: Page): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).options({ resultTypes: ['violations'] }).analyze()
  t.same(violations.filter(({ impact }) => impact === 'serious' || impact === 'critical').map(({ id, nodes }) => [id, nodes.map(({ html }) => html)]), [])
  t.equal(await page.evaluate('document.documentElement.scrollWidth'), page.viewportSize()!.width, 'nothing is wider than the window')
}
