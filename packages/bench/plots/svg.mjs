import domino from '@mixmark-io/domino'

// An image has no page to take its colours from: it looks at what the reader prefers.
const colours = `
svg { color: #1f2328; --measured: #0b62c4; --published: #b3470a }
@media (prefers-color-scheme: dark) { svg { color: #e6edf3; --measured: #6cb6ff; --published: #f0a35e } }
`

/**
 * Draws without a browser.
 * @param draw - makes the plot in the document it is given
 * @param title - what the plot shows, for those who cannot see it
 */
export function svgOf (draw, title) {
  const document = domino.createDocument()
  const svg = draw(document)
  svg.setAttributeNS('http://www.w3.org/2000/xmlns/', 'xmlns', 'http://www.w3.org/2000/svg')
  svg.setAttribute('role', 'img')
  svg.setAttribute('aria-label', title)
  const style = document.createElementNS('http://www.w3.org/2000/svg', 'style')
  style.textContent = colours
  svg.insertBefore(style, svg.firstChild)
  // Coordinates to a hundredth of a pixel: the same picture, and the same bytes wherever it is drawn.
  return svg.outerHTML.replace(/\d+\.\d{3,}/g, number => String(Math.round(Number(number) * 100) / 100)) + '\n'
}
