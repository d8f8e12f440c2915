// Registry credentials from imagePullSecrets. Upstream: pkg/credentialprovider.
import type { Pod, Secret } from '../../api/types/core-v1.ts'
import type { AuthConfig } from '../../runtime/cri/cri.generated.ts'
import type { ObjectSource } from '../containers/object-source.ts'
import { repositoryOf } from './image-name.ts'
import { hashOf, type PullSecret } from './pulled-images.ts'

interface DockerEntry {
  username?: string
  password?: string
  auth?: string
  identitytoken?: string
}

export interface Credential {
  auth: AuthConfig
  /** Where it comes from. */
  secret: PullSecret
}

export interface PullCredentials {
  /** Most specific registry first; try them in turn. */
  found: Credential[]
  /** Names of pull secrets that do not exist. */
  missing: string[]
}

export async function pullCredentials(
  pod: Pod,
  image: string,
  source: ObjectSource,
): Promise<PullCredentials> {
  const namespace = pod.metadata.namespace ?? ''
  const entries: { pattern: string; credential: Credential }[] = []
  const missing: string[] = []
  for (const { name } of pod.spec.imagePullSecrets ?? []) {
    if (!name) continue
    const secret = await source.findSecret(namespace, name)
    if (secret) entries.push(...credentialsIn(secret))
    else missing.push(name)
  }
  const repository = repositoryOf(image)
  const found = entries
    .filter(({ pattern }) => matches(pattern, repository))
    .sort((a, b) => b.pattern.length - a.pattern.length)
    .map(({ credential }) => credential)
  return { found, missing }
}

function credentialsIn(secret: Secret): { pattern: string; credential: Credential }[] {
  const { uid, namespace = '', name } = secret.metadata
  return entriesOf(secret).map(([key, entry]) => {
    const pattern = normalize(key)
    const auth = authConfig(pattern, entry)
    return { pattern, credential: { auth, secret: { uid, namespace, name, hash: hashOf(auth) } } }
  })
}

function entriesOf({ type, data = {} }: Secret): [string, DockerEntry][] {
  try {
    const text = (key: string) => Buffer.from(data[key] ?? '', 'base64').toString()
    if (type === 'kubernetes.io/dockerconfigjson') {
      return Object.entries(
        (JSON.parse(text('.dockerconfigjson')) as { auths?: Record<string, DockerEntry> }).auths ?? {},
      )
    }
    if (type === 'kubernetes.io/dockercfg')
      return Object.entries(JSON.parse(text('.dockercfg')) as Record<string, DockerEntry>)
  } catch {
    // A secret that is not what its type says is passed over, as upstream does; the pull then fails and says so.
  }
  return []
}

const normalize = (key: string) =>
  key
    .replace(/^https?:\/\//, '')
    .replace(/\/v[12]\/?$/, '')
    .replace(/\/$/, '')
    .replace(/^(index\.docker\.io|registry-1\.docker\.io)/, 'docker.io')

/** '*' stands for one part of the host name. A path must be a prefix. */
function matches(pattern: string, repository: string): boolean {
  const [host = '', ...path] = pattern.split('/')
  const [ownHost = '', ...ownPath] = repository.split('/')
  const parts = host.split('.')
  const ownParts = ownHost.split('.')
  const sameHost =
    parts.length === ownParts.length && parts.every((part, index) => partMatches(part, ownParts[index]!))
  return sameHost && path.every((part, index) => ownPath[index] === part)
}

/** Whoever writes a secret writes the pattern: what is between the stars is looked for once, from left to right. */
function partMatches(pattern: string, part: string): boolean {
  const [first = '', ...pieces] = pattern.split('*')
  const last = pieces.pop()
  if (last === undefined) return part === pattern
  const end = part.length - last.length
  if (!part.startsWith(first) || !part.endsWith(last) || end < first.length) return false
  let at = first.length
  for (const piece of pieces) {
    const found = part.indexOf(piece, at)
    if (found < 0 || found + piece.length > end) return false
    at = found + piece.length
  }
  return true
}

function authConfig(
  serverAddress: string,
  { username, password, auth, identitytoken }: DockerEntry,
): AuthConfig {
  const [user = '', ...rest] = auth ? Buffer.from(auth, 'base64').toString().split(':') : []
  return {
    username: username ?? user,
    password: password ?? rest.join(':'),
    serverAddress,
    ...(identitytoken && { identityToken: identitytoken }),
  }
}
