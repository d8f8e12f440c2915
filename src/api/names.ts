// What names may look like. Each check answers the messages that upstream gives, none when the name is fine.
// Upstream: apimachinery pkg/util/validation/validation.go, pkg/api/validation.

const LABEL = '[a-z0-9]([-a-z0-9]*[a-z0-9])?'
const SUBDOMAIN = `${LABEL}(\\.${LABEL})*`
const LABEL_1035 = '[a-z]([-a-z0-9]*[a-z0-9])?'
const QUALIFIED = '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]'
const LABEL_VALUE = `(${QUALIFIED})?`

/** A word quoted as Go's %q does for plain ASCII. */
const quote = (text: string) => `'${text}'`

const whole = new Map<string, RegExp>()

/** Compiled once: names are checked with every write. */
function matches(text: string, pattern: string): boolean {
  const compiled = whole.get(pattern) ?? new RegExp(`^(?:${pattern})$`)
  whole.set(pattern, compiled)
  return compiled.test(text)
}

function mustMatch(text: string, pattern: string, message: string, ...examples: string[]): string[] {
  if (matches(text, pattern)) return []
  const shown = examples.map(example => `'${example}', `).join(' or ')
  return [`${message} (e.g. ${shown}regex used for validation is ${quote(pattern)})`]
}

/** Upstream: RegexError. */
function mustMatchPlain(text: string, pattern: string, message: string): string[] {
  return matches(text, pattern) ? [] : [`${message} (regex used for validation is ${quote(pattern)})`]
}

const tooLong = (text: string, most: number) =>
  text.length > most ? [`must be no more than ${most} characters`] : []

/** Container names, namespaces, label-like names. */
export function isDns1123Label(name: string): string[] {
  return [
    ...(name.length > 63 ? ['must be no more than 63 bytes'] : []),
    ...mustMatch(
      name,
      LABEL,
      "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character",
      'my-name',
      '123-abc',
    ),
  ]
}

/** Names of most objects. */
export function isDns1123Subdomain(name: string): string[] {
  return [
    ...(name.length > 253 ? ['must be no more than 253 bytes'] : []),
    ...mustMatch(
      name,
      SUBDOMAIN,
      "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character",
      'example.com',
    ),
  ]
}

/** Service names. */
export function isDns1035Label(name: string): string[] {
  return [
    ...(name.length > 63 ? ['must be no more than 63 bytes'] : []),
    ...mustMatch(
      name,
      LABEL_1035,
      "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character",
      'my-name',
      'abc-123',
    ),
  ]
}

/** Keys of labels, annotations and node selectors, names of resources: 'example.com/name'. */
export function isQualifiedName(name: string): string[] {
  const parts = name.split('/')
  if (parts.length > 2) {
    return mustMatch(
      'a/b/c',
      QUALIFIED,
      "a qualified name must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
      'MyName',
      'my.name',
      '123-abc',
    ).map(text => `${text} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`)
  }
  const [last, prefix] = [parts.at(-1)!, parts.length === 2 ? parts[0]! : undefined]
  const errors: string[] = []
  if (prefix === '') errors.push('prefix part must be non-empty')
  else if (prefix !== undefined) errors.push(...isDns1123Subdomain(prefix).map(text => `prefix part ${text}`))
  if (last === '') errors.push('name part must be non-empty')
  else if (last.length > 63) errors.push('name part must be no more than 63 bytes')
  const bad = mustMatch(
    last,
    QUALIFIED,
    "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
    'MyName',
    'my.name',
    '123-abc',
  )
  return [...errors, ...bad]
}

export function isLabelValue(value: string): string[] {
  return [
    ...(value.length > 63 ? ['must be no more than 63 bytes'] : []),
    ...mustMatch(
      value,
      LABEL_VALUE,
      "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
      'MyValue',
      'my_value',
      '12345',
    ),
  ]
}

/** Since 1.30 any printable ASCII but '='. Upstream: IsRelaxedEnvVarName. */
export function isEnvironmentVariableName(name: string): string[] {
  if (name.length === 0) return ['environment variable name must be non-empty']
  if (/^[\x20-\x3c\x3e-\x7e]+$/.test(name)) return []
  return ["a valid environment variable name must consist only of printable ASCII characters other than '='"]
}

/** Keys of ConfigMaps and Secrets. */
export function isConfigMapKey(key: string): string[] {
  const errors = tooLong(key, 253)
  if (!/^[-._a-zA-Z0-9]+$/.test(key)) {
    errors.push(
      "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')",
    )
  }
  if (key === '.') errors.push("must not be '.'")
  if (key === '..') errors.push("must not be '..'")
  else if (key.startsWith('..')) errors.push("must not start with '..'")
  return errors
}

/** Names of container and service ports: IANA service names. */
export function isPortName(name: string): string[] {
  const errors: string[] = []
  if (name.length > 15) errors.push('must be no more than 15 characters')
  if (!/^[-a-z0-9]+$/.test(name))
    errors.push('must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)')
  if (!/[a-z]/.test(name)) errors.push('must contain at least one letter (a-z)')
  if (name.includes('--')) errors.push('must not contain consecutive hyphens')
  if (name.startsWith('-') || name.endsWith('-')) errors.push('must not begin or end with a hyphen')
  return errors
}

export function isPortNumber(port: number): string[] {
  return port >= 1 && port <= 65_535 ? [] : ['must be between 1 and 65535, inclusive']
}

/** Names that become part of a URL path (RBAC objects). Upstream: path.IsValidPathSegmentName. */
export function isPathSegmentName(name: string): string[] {
  if (name === '.' || name === '..') return [`may not be '${name}'`]
  return ['/', '%'].filter(letter => name.includes(letter)).map(letter => `may not contain '${letter}'`)
}

const SUBDOMAIN_WITH_UNDERSCORE = '_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?(\\._?[a-z0-9]([-_a-z0-9]*[a-z0-9])?)*'

/** DNS search domains. */
export function isDns1123SubdomainWithUnderscore(name: string): string[] {
  return [
    ...(name.length > 253 ? ['must be no more than 253 bytes'] : []),
    ...mustMatch(
      name,
      SUBDOMAIN_WITH_UNDERSCORE,
      "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
      'example.com',
    ),
  ]
}

/** Hosts of Ingresses: '*.example.com'. */
export function isWildcardDns1123Subdomain(name: string): string[] {
  return [
    ...tooLong(name, 253),
    ...mustMatch(
      name,
      `\\*\\.${SUBDOMAIN}`,
      "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character",
      '*.example.com',
    ),
  ]
}

export function isCIdentifier(name: string): string[] {
  return mustMatch(
    name,
    '[A-Za-z_][A-Za-z0-9_]*',
    "a valid C identifier must start with alphabetic character or '_', followed by a string of alphanumeric characters or '_'",
    'my_name',
    'MY_NAME',
    'MyName',
  )
}

export function isHttpHeaderName(name: string): string[] {
  return mustMatch(
    name,
    '[-A-Za-z0-9]+',
    "a valid HTTP header must consist of alphanumeric characters or '-'",
    'X-Header-Name',
  )
}

/** '25%'. */
export function isPercent(text: string): string[] {
  return mustMatch(
    text,
    '[0-9]+%',
    "a valid percent string must be a numeric string followed by an ending '%'",
    '1%',
    '93%',
  )
}

/** The part after the host in 'acme.io/foo'. */
export function isHttpPath(path: string): string[] {
  return mustMatchPlain(path, "[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+", 'Invalid path')
}
