// A folder of the machine to look into: lists of names, and files. Upstream: the kubelet's /logs/, a Go FileServer.
import { createReadStream } from 'node:fs'
import { readdir, realpath, stat } from 'node:fs/promises'
import { extname, join, sep } from 'node:path'
import type { KubeletAnswer } from '../../api/node-access.ts'

/** Nothing outside `root` is shown, whatever the path or a link says. */
export async function serveFiles(root: string, parts: readonly string[]): Promise<KubeletAnswer> {
  try {
    const base = await realpath(root)
    const path = await realpath(join(base, ...parts))
    if (path !== base && !path.startsWith(base + sep)) return missing()
    const found = await stat(path)
    if (found.isDirectory()) return html(await readdir(path, { withFileTypes: true }))
    if (!found.isFile()) return missing()
    const type = TYPES[extname(path)] ?? 'text/plain; charset=utf-8'
    return {
      code: 200,
      contentType: type,
      body: createReadStream(path, { end: Math.max(0, found.size - 1) }),
    }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'EACCES') return missing()
    throw error
  }
}

const TYPES: Readonly<Record<string, string>> = {
  '.gz': 'application/gzip',
  '.xz': 'application/x-xz',
  '.journal': 'application/octet-stream',
}

function html(entries: readonly { name: string; isDirectory(): boolean }[]): KubeletAnswer {
  const lines = entries
    .map(entry => (entry.isDirectory() ? `${entry.name}/` : entry.name))
    .sort()
    .map(name => `<a href="${encodeURI(name)}">${escaped(name)}</a>\n`)
  const body = Buffer.from(
    `<!doctype html>\n<meta name="viewport" content="width=device-width">\n<pre>\n${lines.join('')}</pre>\n`,
  )
  return { code: 200, contentType: 'text/html; charset=utf-8', body }
}

const escaped = (text: string) =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&#34;')

const missing = (): KubeletAnswer => ({
  code: 404,
  contentType: 'text/plain; charset=utf-8',
  body: Buffer.from('404 page not found\n'),
})
