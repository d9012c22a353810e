/** An element that the page is known to have. */
export function element<T extends HTMLElement = HTMLElement> (id: string): T {
  const found = document.getElementById(id)
  if (found === null) throw new TypeError(`the page has no #${id}`)
  return found as T
}

/** A new element with this text or these elements in it; text stays text, whatever it holds. */
export function make<Name extends keyof HTMLElementTagNameMap> (name: Name, ...content: Array<string | Node>): HTMLElementTagNameMap[Name] {
  const made = document.createElement(name)
  made.append(...content)
  return made
}

/** Shows a text, and touches the page only when it is another: readers of the screen are told of every touch. */
export function say (id: string, text: string): void {
  const shown = element(id)
  if (shown.textContent !== text) shown.textContent = text
}
