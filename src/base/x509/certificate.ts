// Issues X.509 v3 certificates over node:crypto: EC P-256 keys, ECDSA with SHA-256 signatures.
// Verification is node:crypto's and OpenSSL's work, not this file's.
import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto'
import { isIPv4, isIPv6 } from 'node:net'
import {
  bitString,
  boolean,
  contextSpecific,
  integer,
  namedBits,
  objectIdentifier,
  octetString,
  sequence,
  setOf,
  time,
  utf8String,
} from './der.ts'
import { BIT_STRING, readAll, readWhole, SEQUENCE } from './der-reader.ts'

export interface KeyPair {
  publicKey: KeyObject
  privateKey: KeyObject
}

/** Kubernetes reads CN as the user's name and each O as one group. */
export interface DistinguishedName {
  commonName: string
  organizations?: readonly string[]
}

/** What a key may be used for: bits of KeyUsage (RFC 5280 4.2.1.3) and object identifiers of ExtendedKeyUsage. */
export interface KeyUses {
  keyUsage: readonly number[]
  extended: readonly string[]
}

export interface CertificateRequest {
  /** Or the DER of a Name, as a request wrote it. */
  subject: DistinguishedName | Uint8Array
  publicKey: KeyObject
  issuer: { subject: DistinguishedName; publicKey: KeyObject; privateKey: KeyObject }
  /** Epoch milliseconds. */
  notBefore: number
  notAfter: number
  usage: 'authority' | 'server' | 'client' | KeyUses
  /** The value of subjectAltName as a request wrote it, instead of the two that follow. */
  alternatives?: Uint8Array
  dnsNames?: readonly string[]
  ipAddresses?: readonly string[]
}

export function generateEcKeyPair(): KeyPair {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' })
}

/** PKCS #8 PEM. */
export function privateKeyPem(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }).toString()
}

/** SubjectPublicKeyInfo PEM. */
export function publicKeyPem(key: KeyObject): string {
  return key.export({ type: 'spki', format: 'pem' }).toString()
}

/** Answers the signed certificate as PEM. */
export function issueCertificate(request: CertificateRequest): string {
  const body = toBeSigned(request)
  const signature = sign('sha256', body, request.issuer.privateKey)
  return pem('CERTIFICATE', sequence(body, ECDSA_WITH_SHA256, bitString(signature)))
}

const ECDSA_WITH_SHA256 = sequence(objectIdentifier('1.2.840.10045.4.3.2'))

function toBeSigned(request: CertificateRequest): Buffer {
  return sequence(
    contextSpecific(0, true, integer(Buffer.from([2]))),
    integer(serialNumber()),
    ECDSA_WITH_SHA256,
    name(request.issuer.subject),
    sequence(time(request.notBefore), time(request.notAfter)),
    name(request.subject),
    spki(request.publicKey),
    contextSpecific(3, true, sequence(...extensions(request))),
  )
}

/** Positive, at most 20 bytes (RFC 5280 4.1.2.2), never zero. */
function serialNumber(): Buffer {
  const bytes = randomBytes(16)
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40
  return bytes
}

function name(subject: DistinguishedName | Uint8Array): Buffer {
  if (subject instanceof Uint8Array) return Buffer.from(subject)
  const { commonName, organizations = [] } = subject
  const attribute = (oid: string, value: string) => setOf(sequence(objectIdentifier(oid), utf8String(value)))
  return sequence(
    ...organizations.map(organization => attribute('2.5.4.10', organization)),
    attribute('2.5.4.3', commonName),
  )
}

function spki(key: KeyObject): Buffer {
  return key.export({ type: 'spki', format: 'der' })
}

/** RFC 5280 4.2.1.2 method 1: SHA-1 of the public key's bits, without the count of unused ones. */
function keyIdentifier(key: KeyObject): Buffer {
  const bits = readAll(readWhole(spki(key), SEQUENCE).content).find(({ tag }) => tag === BIT_STRING)
  return createHash('sha1')
    .update(bits?.content.subarray(1) ?? spki(key))
    .digest()
}

// Bits of KeyUsage, RFC 5280 4.2.1.3.
const DIGITAL_SIGNATURE = 0
const KEY_CERT_SIGN = 5
const CRL_SIGN = 6

const EXTENDED_USAGE = { server: '1.3.6.1.5.5.7.3.1', client: '1.3.6.1.5.5.7.3.2' }

function usesOf(usage: CertificateRequest['usage']): KeyUses {
  if (typeof usage === 'object') return usage
  if (usage === 'authority') return { keyUsage: [DIGITAL_SIGNATURE, KEY_CERT_SIGN, CRL_SIGN], extended: [] }
  return { keyUsage: [DIGITAL_SIGNATURE], extended: [EXTENDED_USAGE[usage]] }
}

function extensions(request: CertificateRequest): Buffer[] {
  const authority = request.usage === 'authority'
  const { keyUsage, extended } = usesOf(request.usage)
  const alternatives = alternativeNames(request)
  return [
    ...(keyUsage.length > 0 ? [extension('2.5.29.15', true, namedBits(keyUsage))] : []),
    ...(extended.length > 0
      ? [extension('2.5.29.37', false, sequence(...extended.map(oid => objectIdentifier(oid))))]
      : []),
    extension('2.5.29.19', true, authority ? sequence(boolean(true)) : sequence()),
    extension('2.5.29.14', false, octetString(keyIdentifier(request.publicKey))),
    extension(
      '2.5.29.35',
      false,
      sequence(contextSpecific(0, false, keyIdentifier(request.issuer.publicKey))),
    ),
    ...(alternatives ? [extension('2.5.29.17', false, alternatives)] : []),
  ]
}

function alternativeNames(request: CertificateRequest): Buffer | undefined {
  if (request.alternatives) return Buffer.from(request.alternatives)
  const names = subjectAlternativeNames(request)
  return names.length > 0 ? sequence(...names) : undefined
}

function extension(oid: string, critical: boolean, value: Buffer): Buffer {
  return sequence(objectIdentifier(oid), ...(critical ? [boolean(true)] : []), octetString(value))
}

function subjectAlternativeNames({ dnsNames = [], ipAddresses = [] }: CertificateRequest): Buffer[] {
  return [
    ...dnsNames.map(dns => contextSpecific(2, false, Buffer.from(dns, 'ascii'))),
    ...ipAddresses.map(address => contextSpecific(7, false, addressBytes(address))),
  ]
}

function addressBytes(address: string): Buffer {
  if (isIPv4(address)) return Buffer.from(address.split('.').map(Number))
  if (isIPv6(address)) return ipv6Bytes(address)
  throw new TypeError(`not an IP address: ${address}`)
}

function ipv6Bytes(address: string): Buffer {
  // URL writes an IPv6 host in canonical form, an embedded IPv4 tail as two groups.
  const canonical = new URL(`http://[${address.replace(/%.*$/, '')}]/`).hostname.slice(1, -1)
  const [head = '', tail] = canonical.split('::')
  const left = head ? head.split(':') : []
  const right = tail ? tail.split(':') : []
  const zeros = tail === undefined ? 0 : 8 - left.length - right.length
  const groups = [...left, ...Array<string>(zeros).fill('0'), ...right].map(group =>
    Number.parseInt(group, 16),
  )
  return Buffer.from(groups.flatMap(group => [group >> 8, group & 0xff]))
}

function pem(label: string, der: Uint8Array): string {
  const lines =
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? []
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`
}
