import t from 'tap'
import { html, page } from '../src/html.ts'

t.test('escapes what is put in', async t => {
  t.equal(html`<p title="${'"\''}">${'<script>&'}</p>`.html, '<p title="&quot;&#39;">&lt;script&gt;&amp;</p>')
})

t.test('leaves Html as it is, also in lists', async t => {
  t.equal(html`<ul>${['a', '<'].map(item => html`<li>${item}</li>`)}</ul>`.html, '<ul><li>a</li><li>&lt;</li></ul>')
})

t.test('does not read backslashes of a value', async t => {
  t.equal(html`${'\\n$&'}`.html, '\\n$&amp;')
})

t.test('a page escapes its title', async t => {
  t.match(page('</title><script>', html``), '<title>&lt;/title&gt;&lt;script&gt;</title>')
})
