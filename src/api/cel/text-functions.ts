// Texts: replace, format, URLs, names. Upstream: cel-go ext/strings, apiserver cel/library/{urls,format}.
import type { Environment } from '@marcbachmann/cel-js'
import {
  isDns1035Label,
  isDns1123Label,
  isDns1123Subdomain,
  isLabelValue,
  isQualifiedName,
} from '../names.ts'

class CelUrl {
  readonly url: URL
  readonly text: string

  constructor(text: string) {
    this.text = text
    this.url = new URL(text, 'relative://')
  }
}

/** `format` in expressions is one of these. */
class CelFormats {}

class CelFormat {
  readonly check: (text: string) => string[]

  constructor(check: (text: string) => string[]) {
    this.check = check
  }
}

export function registerTextFunctions(environment: Environment): void {
  environment
    .registerFunction('string.replace(string, string): string', (text: string, from: string, to: string) =>
      text.replaceAll(from, to),
    )
    .registerFunction(
      'string.replace(string, string, int): string',
      (text: string, from: string, to: string, count: bigint) => replaceSome(text, from, to, Number(count)),
    )
    .registerFunction('string.charAt(int): string', (text: string, at: bigint) => text.charAt(Number(at)))
    .registerFunction('string.reverse(): string', (text: string) => [...text].reverse().join(''))
    .registerFunction('string.format(list): string', (text: string, values: unknown[]) =>
      formatText(text, values),
    )
  registerUrls(environment)
  registerFormats(environment)
}

function replaceSome(text: string, from: string, to: string, count: number): string {
  if (count < 0) return text.replaceAll(from, to)
  const parts = text.split(from)
  const head = parts.slice(0, count + 1).join(to)
  return parts.length > count + 1 ? [head, ...parts.slice(count + 1)].join(from) : head
}

/** %s, %d, %f, %.2f, %x, %X, %b, %o, %e, %%. */
function formatText(text: string, values: readonly unknown[]): string {
  let next = 0
  return text.replace(/%(\.\d+)?([sdfxXboe%])/g, (_, precision: string | undefined, verb: string) => {
    if (verb === '%') return '%'
    const value = values[next++]
    const digits = precision ? Number(precision.slice(1)) : 6
    switch (verb) {
      case 'd':
        return String(value)
      case 'f':
        return Number(value).toFixed(digits)
      case 'e':
        return Number(value).toExponential(digits)
      case 'x':
      case 'X': {
        const hex =
          typeof value === 'string'
            ? Buffer.from(value).toString('hex')
            : BigInt(value as bigint).toString(16)
        return verb === 'X' ? hex.toUpperCase() : hex
      }
      case 'b':
        return typeof value === 'boolean' ? String(Number(value)) : BigInt(value as bigint).toString(2)
      case 'o':
        return BigInt(value as bigint).toString(8)
      default:
        return showText(value)
    }
  })
}

function showText(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(showText).join(', ')}]`
  if (typeof value !== 'object' || value === null) return String(value)
  return `{${Object.entries(value)
    .map(([key, inner]) => `${key}: ${showText(inner)}`)
    .join(', ')}}`
}

function registerUrls(environment: Environment): void {
  const isUrl = (text: string) => URL.canParse(text) || text.startsWith('/')
  environment
    .registerType('kubernetes.URL', CelUrl)
    .registerFunction('isURL(string): bool', isUrl)
    .registerFunction('url(string): kubernetes.URL', (text: string) => {
      if (!isUrl(text))
        throw new Error(`URL parse error during conversion from string: ${JSON.stringify(text)}`)
      return new CelUrl(text)
    })
    .registerFunction('kubernetes.URL.getScheme(): string', ({ url }: CelUrl) =>
      url.protocol === 'relative:' ? '' : url.protocol.slice(0, -1),
    )
    .registerFunction('kubernetes.URL.getHost(): string', ({ url }: CelUrl) => url.host)
    .registerFunction('kubernetes.URL.getHostname(): string', ({ url }: CelUrl) =>
      url.hostname.replace(/^\[|\]$/g, ''),
    )
    .registerFunction('kubernetes.URL.getPort(): string', ({ url }: CelUrl) => url.port)
    .registerFunction('kubernetes.URL.getEscapedPath(): string', ({ url }: CelUrl) => url.pathname)
    .registerFunction('kubernetes.URL.getQuery(): map', ({ url }: CelUrl) =>
      Object.fromEntries(
        [...new Set(url.searchParams.keys())].map(key => [key, url.searchParams.getAll(key)]),
      ),
    )
}

function registerFormats(environment: Environment): void {
  const formats: Record<string, (text: string) => string[]> = {
    dns1123Label: isDns1123Label,
    dns1123Subdomain: isDns1123Subdomain,
    dns1035Label: isDns1035Label,
    qualifiedName: isQualifiedName,
    labelValue: isLabelValue,
    uri: text => (URL.canParse(text) ? [] : ['must be a URI']),
    uuid: text => (/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text) ? [] : ['must be a UUID']),
    byte: text => (/^[A-Za-z0-9+/]*={0,2}$/.test(text) ? [] : ['must be base64 encoded']),
    date: text => (/^\d{4}-\d\d-\d\d$/.test(text) ? [] : ['must be a date']),
    datetime: text => (Number.isNaN(Date.parse(text)) ? ['must be a date and time'] : []),
  }
  environment
    .registerType('kubernetes.NamedFormat', CelFormat)
    .registerType('kubernetes.Formats', CelFormats)
    .registerConstant('format', 'kubernetes.Formats', new CelFormats())
  for (const [name, check] of Object.entries(formats)) {
    environment.registerFunction(
      `kubernetes.Formats.${name}(): kubernetes.NamedFormat`,
      () => new CelFormat(check),
    )
  }
  environment.registerFunction(
    'kubernetes.NamedFormat.validate(string): list',
    ({ check }: CelFormat, text: string) => check(text),
  )
}
