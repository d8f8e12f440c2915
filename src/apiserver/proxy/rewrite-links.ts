// Links of a proxied answer, so that a browser which follows them comes through the proxy again.
// Upstream: apimachinery's util/proxy/transport.go (rewriteURL, atomsToAttrs).

export interface LinkContext {
  /** What the proxied root is called outside: /api/v1/namespaces/default/services/web/proxy. */
  prefix: string
  /** How the client reached this server. */
  scheme: string
  host: string
  /** The backend's own host and port. */
  backendHost: string
}

/** Relative links and links to other hosts stay as they are. */
export function rewriteLink(link: string, { prefix, scheme, host, backendHost }: LinkContext): string {
  const [, linkScheme, linkHost, path = '', rest = ''] =
    /^(?:([a-z][a-z0-9+.-]*):)?(?:\/\/([^/?#]*))?([^?#]*)(.*)$/is.exec(link) ?? []
  if (linkHost && linkHost !== backendHost && linkHost !== host) return link
  if (!path.startsWith('/')) return link
  const start = linkScheme || linkHost ? `${scheme}://${host}` : ''
  if (path.startsWith(prefix)) return `${start}${path}${rest}`
  return `${start}${joinPaths(prefix, path)}${rest}`
}

/** As Go's path.Join, but for a slash at the end, which stays. */
function joinPaths(prefix: string, path: string): string {
  const kept: string[] = []
  for (const part of `${prefix}/${path}`.split('/')) {
    if (part === '' || part === '.') continue
    if (part === '..') kept.pop()
    else kept.push(part)
  }
  return `/${kept.join('/')}${path.endsWith('/') && kept.length > 0 ? '/' : ''}`
}

/** Attributes that hold a link, by element. */
const LINKS: Readonly<Record<string, readonly string[]>> = {
  a: ['href'],
  applet: ['codebase'],
  area: ['href'],
  audio: ['src'],
  base: ['href'],
  blockquote: ['cite'],
  body: ['background'],
  button: ['formaction'],
  command: ['icon'],
  del: ['cite'],
  embed: ['src'],
  form: ['action'],
  frame: ['longdesc', 'src'],
  head: ['profile'],
  html: ['manifest'],
  iframe: ['longdesc', 'src'],
  img: ['longdesc', 'src', 'usemap'],
  input: ['formaction', 'src', 'usemap'],
  ins: ['cite'],
  link: ['href'],
  object: ['classid', 'codebase', 'data', 'usemap'],
  q: ['cite'],
  script: ['src'],
  source: ['src'],
  video: ['poster', 'src'],
}

const START_TAG = /<([a-z][a-z0-9]*)((?:\s+[^\s"'>/=]+(?:\s*=\s*(?:"[^"]*"|'[^']*'|[^\s"'>]+))?)+)/gi
const ATTRIBUTE = /(\s+)([^\s"'>/=]+)(\s*=\s*)("[^"]*"|'[^']*'|[^\s"'>]+)/g

/** Every start tag of a piece of HTML that ends with a whole tag. */
function rewritePiece(html: string, context: LinkContext): string {
  return html.replace(START_TAG, (tag, element: string, attributes: string) => {
    const links = LINKS[element.toLowerCase()]
    if (!links) return tag
    const rewritten = attributes.replace(
      ATTRIBUTE,
      (whole, space: string, name: string, equals: string, value: string) => {
        if (!links.includes(name.toLowerCase())) return whole
        const quote = value[0] === '"' || value[0] === "'" ? value[0] : ''
        const link = quote ? value.slice(1, -1) : value
        return `${space}${name}${equals}${quote}${rewriteLink(link, context)}${quote}`
      },
    )
    return `<${element}${rewritten}`
  })
}

/** A tag longer than this is passed on as it is. */
const LONGEST_TAG = 64 * 1024

/** Rewrites HTML as it comes; holds back no more than one tag. */
export async function* rewriteHtml(
  source: AsyncIterable<Uint8Array>,
  context: LinkContext,
): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8')
  let held = ''
  for await (const chunk of source) {
    held += decoder.decode(chunk, { stream: true })
    const open = held.lastIndexOf('<')
    const isWhole = open < 0 || held.includes('>', open) || held.length - open > LONGEST_TAG
    const ready = isWhole ? held : held.slice(0, open)
    held = isWhole ? '' : held.slice(open)
    if (ready) yield rewritePiece(ready, context)
  }
  held += decoder.decode()
  if (held) yield rewritePiece(held, context)
}
