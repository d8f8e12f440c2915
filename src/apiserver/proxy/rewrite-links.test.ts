import assert from 'node:assert/strict'
import { test } from 'node:test'
import { rewriteHtml, rewriteLink } from './rewrite-links.ts'

const context = {
  prefix: '/api/v1/namespaces/default/services/web/proxy',
  scheme: 'https',
  host: 'api.example:6443',
  backendHost: '10.0.0.7:80',
}
const { prefix } = context

const links: [what: string, link: string, expected: string][] = [
  ['an absolute path', '/rewriteme', `${prefix}/rewriteme`],
  ['a path with a slash at its end', '/a/b/', `${prefix}/a/b/`],
  ['the root', '/', `${prefix}/`],
  ['a query and a fragment', '/a?b=/c#d', `${prefix}/a?b=/c#d`],
  ['a path that is inside already', `${prefix}/a`, `${prefix}/a`],
  ['a path that climbs out', '/../../a', '/api/v1/namespaces/default/services/a'],
  ['a relative link', 'a/b', 'a/b'],
  ['an anchor', '#top', '#top'],
  ['another host', 'http://elsewhere.example/a', 'http://elsewhere.example/a'],
  ['the backend itself', 'http://10.0.0.7:80/a', `https://api.example:6443${prefix}/a`],
  ['the host that the client asked', 'http://api.example:6443/a', `https://api.example:6443${prefix}/a`],
  ['a host without a scheme', '//10.0.0.7:80/a', `https://api.example:6443${prefix}/a`],
  ['mail', 'mailto:someone@example.com', 'mailto:someone@example.com'],
]
for (const [what, link, expected] of links) {
  test(`${what}: ${link}`, () => {
    assert.equal(rewriteLink(link, context), expected)
  })
}

async function rewritten(pieces: readonly Buffer[]): Promise<string> {
  async function* source() {
    yield* pieces
  }
  let html = ''
  for await (const piece of rewriteHtml(source(), context)) html += piece
  return html
}

const page = `<p class="/a">text < /b</p><a href="/rewriteme">test</a><IMG alt='/x' src='/i.png'><form action=/go method=post>é</form>`
const expected = `<p class="/a">text < /b</p><a href="${prefix}/rewriteme">test</a><IMG alt='/x' src='${prefix}/i.png'><form action=${prefix}/go method=post>é</form>`

test('links of a page are changed, and nothing else, wherever the bytes are cut', async () => {
  const bytes = Buffer.from(page)
  for (const size of [1, 2, 3, 7, 50, bytes.length]) {
    const pieces: Buffer[] = []
    for (let at = 0; at < bytes.length; at += size) pieces.push(bytes.subarray(at, at + size))
    assert.equal(await rewritten(pieces), expected, `pieces of ${size} bytes`)
  }
})
