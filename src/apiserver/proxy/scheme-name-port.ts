/** What the name of a proxied object says: `name`, `name:port` or `scheme:name:port`. */
export interface SchemeNamePort {
  scheme: 'http' | 'https'
  /** False when none was named: `http` is only the default then. */
  hasScheme: boolean
  name: string
  /** A number or a port's name; '' when none is named. */
  port: string
}

/** undefined for what is none of them. Upstream: apimachinery's net.SplitSchemeNamePort. */
export function splitSchemeNamePort(id: string): SchemeNamePort | undefined {
  const parts = id.split(':')
  if (parts.length > 3) return undefined
  const [scheme, name, port] = parts.length === 3 ? parts : ['', parts[0], parts[1] ?? '']
  if (!name || (scheme !== '' && scheme !== 'http' && scheme !== 'https')) return undefined
  return { scheme: scheme === 'https' ? 'https' : 'http', hasScheme: scheme !== '', name, port: port ?? '' }
}
