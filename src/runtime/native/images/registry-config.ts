// Which servers answer for a registry's name, and how they are spoken to.

export interface RegistryConfig {
  /** Base URLs that are asked before the registry itself: 'http://mirror:5000', 'https://host/path'. */
  mirrors?: string[]
  /** Plain HTTP. Loopback addresses without a caFile are plain anyway. */
  insecure?: boolean
  /** TLS without checking the certificate. */
  skipVerify?: boolean
  /** PEM file with authorities that are trusted besides the machine's. */
  caFile?: string
}

/** By registry name as it stands in references: 'docker.io', 'localhost:5000'. '*' is for all that are not named. */
export type RegistriesConfig = Readonly<Record<string, RegistryConfig>>

export interface RegistryEndpoint {
  /** Ends before /v2: 'https://registry-1.docker.io'. */
  base: string
  isMirror: boolean
  skipVerify: boolean
  caFile?: string
}

/** In the order in which they are asked; the registry itself is last. */
export function endpointsOf(domain: string, registries: RegistriesConfig): RegistryEndpoint[] {
  const config = registries[domain] ?? registries['*'] ?? {}
  const host = domain === 'docker.io' ? 'registry-1.docker.io' : domain
  const plain = config.insecure ?? (isLoopback(domain) && !config.caFile)
  const common = { skipVerify: config.skipVerify ?? false, ...(config.caFile && { caFile: config.caFile }) }
  const mirrors = (config.mirrors ?? []).map(url => ({
    base: url.replace(/\/+$/, ''),
    isMirror: true,
    ...common,
  }))
  return [...mirrors, { base: `${plain ? 'http' : 'https'}://${host}`, isMirror: false, ...common }]
}

function isLoopback(domain: string): boolean {
  const host = domain.replace(/:\d+$/, '')
  return host === 'localhost' || host === '[::1]' || /^127(\.\d+){3}$/.test(host)
}
