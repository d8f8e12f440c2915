// The cluster's keys and certificates on disk: made at first start, kept afterwards, leaves renewed in time.
// Every file appears whole (temporary file, then rename); a pair that a crash split is made again.
import { createPrivateKey, createPublicKey, type KeyObject, X509Certificate } from 'node:crypto'
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { PassiveClock } from '../../base/clock.ts'
import { PlainError } from '../../base/plain-error.ts'
import {
  type CertificateRequest,
  generateEcKeyPair,
  issueCertificate,
  privateKeyPem,
  publicKeyPem,
} from '../../base/x509/certificate.ts'

export interface PkiOptions {
  /** DIR/pki. */
  directory: string
  /** Further IP addresses of the API server: the node's, the first of the service range. */
  addresses: readonly string[]
  /** Further DNS names: the node's. */
  names: readonly string[]
  clusterDomain?: string
  clock: PassiveClock
}

/** PEM texts. */
export interface PemPair {
  certificate: string
  privateKey: string
}

export interface Pki {
  /** The authority's certificate: what clients trust, and what client certificates are verified against. */
  authorityCertificate: string
  /** Signs further certificates (kubelet, CSRs). */
  authorityKey: KeyObject
  server: PemPair
  /** CN kubernetes-admin, O system:masters. */
  admin: PemPair
  /** EC P-256; signs service account tokens (ES256). */
  serviceAccountKey: KeyObject
}

const DAY_MS = 86_400_000
const AUTHORITY_LIFETIME_MS = 3650 * DAY_MS
const LEAF_LIFETIME_MS = 365 * DAY_MS
const RENEW_BEFORE_MS = 90 * DAY_MS
/** Clients whose clock runs a little behind must accept a new certificate. */
const BACKDATE_MS = 5 * 60_000

const AUTHORITY_SUBJECT = { commonName: 'kubernetes' }

/** Throws PlainError when ca.crt and ca.key do not belong together or the authority has expired. */
export async function ensurePki(options: PkiOptions): Promise<Pki> {
  await mkdir(options.directory, { recursive: true, mode: 0o700 })
  const authority = await ensureAuthority(options)
  const [server, admin, serviceAccountKey] = await Promise.all([
    ensureLeaf(options, authority, 'apiserver', serverLeaf(options)),
    ensureLeaf(options, authority, 'admin', {
      subject: { commonName: 'kubernetes-admin', organizations: ['system:masters'] },
      usage: 'client',
    }),
    ensureServiceAccountKey(options.directory),
  ])
  return {
    authorityCertificate: authority.certificate,
    authorityKey: authority.key,
    server,
    admin,
    serviceAccountKey,
  }
}

interface Authority {
  certificate: string
  key: KeyObject
}

type Leaf = Pick<CertificateRequest, 'subject' | 'usage' | 'dnsNames' | 'ipAddresses'>

function serverLeaf({ names, addresses, clusterDomain = 'cluster.local' }: PkiOptions): Leaf {
  const service = 'kubernetes.default.svc'
  const dnsNames = ['kubernetes', 'kubernetes.default', service, `${service}.${clusterDomain}`, 'localhost']
  return {
    subject: { commonName: 'kube-apiserver' },
    usage: 'server',
    dnsNames: [...new Set([...dnsNames, ...names])],
    ipAddresses: [...new Set(['127.0.0.1', '::1', ...addresses])],
  }
}

async function ensureAuthority({ directory, clock }: PkiOptions): Promise<Authority> {
  const keyPath = join(directory, 'ca.key')
  const certificatePath = join(directory, 'ca.crt')
  const [keyText, certificate] = await Promise.all([readIfThere(keyPath), readIfThere(certificatePath)])
  if (certificate !== undefined) return existingAuthority(directory, keyText, certificate, clock.now())
  // Without a certificate nobody trusts the key yet: a key alone is what a crash between the two writes left.
  const keys = generateEcKeyPair()
  const made = issueCertificate({
    subject: AUTHORITY_SUBJECT,
    publicKey: keys.publicKey,
    issuer: { subject: AUTHORITY_SUBJECT, ...keys },
    notBefore: clock.now() - BACKDATE_MS,
    notAfter: clock.now() + AUTHORITY_LIFETIME_MS,
    usage: 'authority',
  })
  await writeWhole(keyPath, privateKeyPem(keys.privateKey), 0o600)
  await writeWhole(certificatePath, made, 0o644)
  return { certificate: made, key: keys.privateKey }
}

function existingAuthority(
  directory: string,
  keyText: string | undefined,
  certificate: string,
  now: number,
): Authority {
  const remedy = `restore both files, or delete ${directory} to make new ones (kubeconfigs change then)`
  const key = keyText === undefined ? undefined : parsePrivateKey(keyText)
  const parsed = parseCertificate(certificate)
  if (!key || !parsed?.checkPrivateKey(key)) {
    throw new PlainError(`ca.key and ca.crt in ${directory} do not belong together: ${remedy}`)
  }
  if (parsed.validToDate.getTime() <= now) {
    throw new PlainError(`the cluster's certificate authority ${directory}/ca.crt has expired: ${remedy}`)
  }
  return { certificate, key }
}

async function ensureLeaf(
  { directory, clock }: PkiOptions,
  authority: Authority,
  fileName: string,
  leaf: Leaf,
): Promise<PemPair> {
  const certificatePath = join(directory, `${fileName}.crt`)
  const keyPath = join(directory, `${fileName}.key`)
  const [certificate, privateKey] = await Promise.all([readIfThere(certificatePath), readIfThere(keyPath)])
  if (certificate && privateKey && isGoodLeaf({ certificate, privateKey }, authority, leaf, clock.now())) {
    return { certificate, privateKey }
  }
  const made = issueLeaf(authority, leaf, clock.now())
  await writeWhole(keyPath, made.privateKey, 0o600)
  await writeWhole(certificatePath, made.certificate, 0o644)
  return made
}

function issueLeaf(authority: Authority, leaf: Leaf, now: number): PemPair {
  const keys = generateEcKeyPair()
  const authorityEnd = new X509Certificate(authority.certificate).validToDate.getTime()
  const certificate = issueCertificate({
    ...leaf,
    publicKey: keys.publicKey,
    issuer: {
      subject: AUTHORITY_SUBJECT,
      publicKey: createPublicKey(authority.key),
      privateKey: authority.key,
    },
    notBefore: now - BACKDATE_MS,
    notAfter: Math.min(now + LEAF_LIFETIME_MS, authorityEnd),
  })
  return { certificate, privateKey: privateKeyPem(keys.privateKey) }
}

function isGoodLeaf(pair: PemPair, authority: Authority, leaf: Leaf, now: number): boolean {
  const certificate = parseCertificate(pair.certificate)
  const key = parsePrivateKey(pair.privateKey)
  if (!certificate || !key || !certificate.checkPrivateKey(key)) return false
  return (
    certificate.verify(createPublicKey(authority.key)) &&
    certificate.validToDate.getTime() - RENEW_BEFORE_MS > now &&
    certificate.validFromDate.getTime() <= now &&
    (leaf.dnsNames ?? []).every(name => certificate.checkHost(name)) &&
    (leaf.ipAddresses ?? []).every(address => certificate.checkIP(address))
  )
}

async function ensureServiceAccountKey(directory: string): Promise<KeyObject> {
  const path = join(directory, 'sa.key')
  const existing = await readIfThere(path)
  const key = existing === undefined ? generateEcKeyPair().privateKey : parsePrivateKey(existing)
  if (!key) throw new PlainError(`${path} is not a private key: restore it, or delete it to make a new one`)
  if (existing === undefined) await writeWhole(path, privateKeyPem(key), 0o600)
  const publicText = publicKeyPem(createPublicKey(key))
  const publicPath = join(directory, 'sa.pub')
  if ((await readIfThere(publicPath)) !== publicText) await writeWhole(publicPath, publicText, 0o644)
  return key
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

async function writeWhole(path: string, text: string, mode: number): Promise<void> {
  const temporary = `${path}.new`
  // A temporary file that a crash left keeps its old mode when overwritten: start from none.
  await rm(temporary, { force: true })
  await writeFile(temporary, text, { mode, flush: true })
  await rename(temporary, path)
}

function parseCertificate(text: string): X509Certificate | undefined {
  try {
    return new X509Certificate(text)
  } catch {
    return undefined
  }
}

function parsePrivateKey(text: string): KeyObject | undefined {
  try {
    return createPrivateKey(text)
  } catch {
    return undefined
  }
}
