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
    parts.length === ownParts.length &&
    parts.every((part, index) =>
      new RegExp(`^${part.split('*').map(escapeText).join('[^.]*')}$`).test(ownParts[index]!),
    )
  return sameHost && path.every((part, index) => ownPath[index] === part)
}

const escapeText = (text: string) => text.replace(/[.+?^${}()|[\]\\]/g, '\\$&')

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
