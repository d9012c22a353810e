/** HTML that needs no escaping any more. */
export interface Html { readonly html: string }

const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }

/** A tag for templates: every value that is put in is escaped, unless it is Html itself. */
export function html (texts: TemplateStringsArray, ...values: unknown[]): Html {
  return { html: String.raw({ raw: texts }, ...values.map(escaped)) }
}

function escaped (value: unknown): string {
  if (Array.isArray(value)) return value.map(escaped).join('')
  if (isHtml(value)) return value.html
  return String(value).replace(/[&<>"']/g, character => entities[character]!)
}

const isHtml = (value: unknown): value is Html => typeof value === 'object' && value !== null && Object.hasOwn(value, 'html')

/** What a page looks like; its hash stands in the Content-Security-Policy. */
export const pageStyle = `
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
pre { overflow-x: auto; padding: .5rem .75rem; border: 1px solid color-mix(in srgb, currentColor 25%, transparent); border-radius: .4rem; }
dt { margin-top: 1rem; font-weight: 600; }
dd { margin: 0; }
`

/** A whole page. */
export function page (title: string, body: Html): string {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<style>${{ html: pageStyle }}</style>
</head>
<body>
${body}
</body>
</html>
`.html
}
