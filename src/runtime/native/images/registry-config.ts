// Which servers answer for a registry's name, and how they are spoken to.
import type { EndpointTrust } from './http-exchange.ts'
import type { RegistryAuth } from './registry-auth.ts'

export interface RegistryConfig {
  /** Base URLs that are asked before the registry itself: 'http://mirror:5000', 'https://host/path'. */
  mirrors?: string[]
  /** Plain HTTP. Loopback addresses without a caFile are plain anyway. */
  insecure?: boolean
  /** TLS without checking the certificate. */
  skipVerify?: boolean
  /** PEM file with authorities that are trusted besides the machine's. */
  caFile?: string
  /** PEM files with the certificate and key that the client shows. */
  certFile?: string
  keyFile?: string
  /** The node's own credentials for this server: used by pulls that bring none. */
  auth?: RegistryAuth
}

/** By server name as it stands in references: 'docker.io', 'localhost:5000'. '*' is for all that are not named. */
export type RegistriesConfig = Readonly<Record<string, RegistryConfig>>

export interface RegistryEndpoint extends EndpointTrust {
  /** Ends before /v2: 'https://registry-1.docker.io'. */
  base: string
  isMirror: boolean
  auth?: RegistryAuth
}

/** In the order in which they are asked; the registry itself is last. */
export function endpointsOf(domain: string, registries: RegistriesConfig): RegistryEndpoint[] {
  const config = registries[domain] ?? registries['*'] ?? {}
  const host = domain === 'docker.io' ? 'registry-1.docker.io' : domain
  const plain = config.insecure ?? (isLoopback(domain) && !config.caFile)
  const mirrors = (config.mirrors ?? []).map(url => mirrorOf(url, config, registries))
  return [...mirrors, { base: `${plain ? 'http' : 'https'}://${host}`, isMirror: false, ...accessOf(config) }]
}

/** A mirror is another party: the registry's credentials are not for it, unless it is that very server. */
function mirrorOf(url: string, registry: RegistryConfig, registries: RegistriesConfig): RegistryEndpoint {
  const { auth: _, ...trust } = accessOf(registry)
  const own = registries[new URL(url).host]
  return { base: url.replace(/\/+$/, ''), isMirror: true, ...(own ? accessOf(own) : trust) }
}

const accessOf = ({ skipVerify = false, caFile, certFile, keyFile, auth }: RegistryConfig) => ({
  skipVerify,
  ...(caFile && { caFile }),
  ...(certFile && { certFile }),
  ...(keyFile && { keyFile }),
  ...(auth && { auth }),
})

function isLoopback(domain: string): boolean {
  const host = domain.replace(/:\d+$/, '')
  return host === 'localhost' || host === '[::1]' || /^127(\.\d+){3}$/.test(host)
}
