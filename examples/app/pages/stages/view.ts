/** Whether a part of the page can be seen: scrolled to, in a tab that is shown. */
export class View {
  #inside = false

  constructor (part: Element) {
    new IntersectionObserver(changes => { this.#inside = changes.at(-1)!.isIntersecting }).observe(part)
  }

  get visible (): boolean {
    return this.#inside && document.visibilityState === 'visible'
  }
}
