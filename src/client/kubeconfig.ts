// Kubeconfig files, as clientcmd reads them: which server, which authority to trust, and who to be.
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { parse, stringify } from 'yaml'
import { PlainError } from '../base/plain-error.ts'
import type { HttpsOptions } from './https-transport.ts'

/** What a context of a kubeconfig comes to. */
export interface KubeconfigAccess extends HttpsOptions {
  /** The context's default namespace. */
  namespace?: string
}

interface Cluster {
  server?: string
  'certificate-authority'?: string
  'certificate-authority-data'?: string
  'insecure-skip-tls-verify'?: boolean
}

interface User {
  'client-certificate'?: string
  'client-certificate-data'?: string
  'client-key'?: string
  'client-key-data'?: string
  token?: string
  tokenFile?: string
}

interface Context {
  cluster: string
  user: string
  namespace?: string
}

interface Kubeconfig {
  'current-context'?: string
  clusters?: { name: string; cluster: Cluster }[]
  users?: { name: string; user: User }[]
  contexts?: { name: string; context: Context }[]
}

/** Reads a context, the current one by default. Throws PlainError when the file cannot be used. */
export function readKubeconfig(path: string, contextName?: string): KubeconfigAccess {
  return parseKubeconfig(readText(path), { path, contextName })
}

/** `path` is where the text is from: files that it names are relative to it. */
export function parseKubeconfig(
  text: string,
  { path, contextName }: { path: string; contextName?: string | undefined },
): KubeconfigAccess {
  const config = (parse(text) ?? {}) as Kubeconfig
  const wanted = contextName ?? config['current-context'] ?? ''
  const context = config.contexts?.find(({ name }) => name === wanted)?.context
  if (!context) throw new PlainError(`the kubeconfig ${path} has no context "${wanted}"`)
  const cluster = config.clusters?.find(({ name }) => name === context.cluster)?.cluster
  if (!cluster?.server)
    throw new PlainError(`the kubeconfig ${path} has no server for cluster "${context.cluster}"`)
  const user = config.users?.find(({ name }) => name === context.user)?.user ?? {}
  return present({
    server: cluster.server,
    ca: pemOf(path, cluster, 'certificate-authority'),
    cert: pemOf(path, user, 'client-certificate'),
    key: pemOf(path, user, 'client-key'),
    token: user.token ?? (user.tokenFile && readText(resolve(dirname(path), user.tokenFile)).trim()),
    insecureSkipTlsVerify: cluster['insecure-skip-tls-verify'],
    namespace: context.namespace,
  })
}

export interface KubeconfigContent {
  /** Names the cluster and the context. */
  name: string
  user: string
  server: string
  /** PEM texts. */
  ca: string
  cert?: string
  key?: string
  token?: string
}

/** One cluster, one user, one context, everything inline. */
export function formatKubeconfig({ name, user, server, ca, cert, key, token }: KubeconfigContent): string {
  return stringify(
    {
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ name, cluster: { 'certificate-authority-data': base64(ca), server } }],
      contexts: [{ name, context: { cluster: name, user } }],
      'current-context': name,
      preferences: {},
      users: [
        {
          name: user,
          user: {
            ...(cert && { 'client-certificate-data': base64(cert) }),
            ...(key && { 'client-key-data': base64(key) }),
            ...(token && { token }),
          },
        },
      ],
    },
    { lineWidth: 0 },
  )
}

/** Replaces the file at once; only its owner can read it. */
export function writeKubeconfig(path: string, content: KubeconfigContent): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  writeFileSync(`${path}.new`, formatKubeconfig(content), { mode: 0o600 })
  renameSync(`${path}.new`, path)
}

/** Inline data wins over a file, as in clientcmd. */
function pemOf(path: string, holder: object, field: string): string | undefined {
  const fields = holder as Record<string, string | undefined>
  const data = fields[`${field}-data`]
  if (data) return Buffer.from(data, 'base64').toString('utf8')
  const file = fields[field]
  return file ? readText(resolve(dirname(path), file)) : undefined
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    const why = (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'it does not exist' : String(error)
    throw new PlainError(`cannot read ${path}: ${why}`, { cause: error })
  }
}

const base64 = (text: string) => Buffer.from(text, 'utf8').toString('base64')

/** The fields that have a value. */
function present<T extends object>(fields: { [K in keyof T]: T[K] | undefined }): T {
  return Object.fromEntries(
    Object.entries(fields).filter(([, value]) => value !== undefined && value !== ''),
  ) as T
}
