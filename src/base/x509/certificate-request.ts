// Reads certificate requests (PKCS #10, RFC 2986) and checks that who asks holds the key.
import { createPublicKey, type KeyObject, verify } from 'node:crypto'
import {
  DerError,
  type DerValue,
  OBJECT_IDENTIFIER,
  OCTET_STRING,
  objectIdentifierText,
  readAll,
  readWhole,
  SEQUENCE,
} from './der-reader.ts'

export interface ParsedCertificateRequest {
  commonName: string
  organizations: string[]
  /** The subject as it was written, for the certificate. */
  subject: Buffer
  publicKey: KeyObject
  dnsNames: string[]
  ipAddresses: string[]
  emailAddresses: string[]
  uris: string[]
  /** The extension's value as it was written; undefined when there is none. */
  alternatives: Buffer | undefined
}

const COMMON_NAME = '2.5.4.3'
const ORGANIZATION = '2.5.4.10'
const EXTENSION_REQUEST = '1.2.840.113549.1.9.14'
const ALTERNATIVE_NAMES = '2.5.29.17'
const ATTRIBUTES = 0xa0

/** undefined for text without a block of this kind. */
export function requestFromPem(pem: string): Buffer | undefined {
  const match =
    /-----BEGIN CERTIFICATE REQUEST-----([A-Za-z0-9+/=\s]+)-----END CERTIFICATE REQUEST-----/.exec(pem)
  return match ? Buffer.from(match[1]!.replace(/\s/g, ''), 'base64') : undefined
}

/** Throws DerError, or what node:crypto throws for keys it does not know. */
export function parseCertificateRequest(der: Buffer): ParsedCertificateRequest {
  const [info, algorithm, signature] = readAll(readWhole(der, SEQUENCE).content)
  if (!info || !algorithm || !signature) throw new DerError('a certificate request has three parts')
  const [, subject, spki, ...others] = readAll(info.content)
  if (!subject || !spki) throw new DerError('a certificate request names a subject and a key')
  const publicKey = createPublicKey({ key: spki.whole, format: 'der', type: 'spki' })
  if (!isSigned(info.whole, algorithm, signature.content.subarray(1), publicKey)) {
    throw new DerError('the signature is not that of the key')
  }
  const names = attributesOf(subject)
  const alternatives = alternativesOf(others.find(({ tag }) => tag === ATTRIBUTES))
  return {
    commonName: names.findLast(([type]) => type === COMMON_NAME)?.[1] ?? '',
    organizations: names.filter(([type]) => type === ORGANIZATION).map(([, value]) => value),
    subject: subject.whole,
    publicKey,
    alternatives,
    ...generalNames(alternatives),
  }
}

const HASHES: Record<string, string | undefined> = {
  '1.2.840.113549.1.1.5': 'sha1',
  '1.2.840.113549.1.1.11': 'sha256',
  '1.2.840.113549.1.1.12': 'sha384',
  '1.2.840.113549.1.1.13': 'sha512',
  '1.2.840.10045.4.3.2': 'sha256',
  '1.2.840.10045.4.3.3': 'sha384',
  '1.2.840.10045.4.3.4': 'sha512',
}
const ED25519 = '1.3.101.112'

function isSigned(body: Buffer, algorithm: DerValue, signature: Buffer, key: KeyObject): boolean {
  const [identifier] = readAll(algorithm.content)
  if (identifier?.tag !== OBJECT_IDENTIFIER) return false
  const name = objectIdentifierText(identifier)
  if (name === ED25519) return verify(null, body, key, signature)
  const hash = HASHES[name]
  return hash !== undefined && verify(hash, body, key, signature)
}

function attributesOf(name: DerValue): [type: string, value: string][] {
  return readAll(name.content).flatMap(set =>
    readAll(set.content).map(attribute => {
      const [type, value] = readAll(attribute.content)
      if (!type || !value) throw new DerError('an attribute of a name has a type and a value')
      return [objectIdentifierText(type), value.content.toString('utf8')] as [string, string]
    }),
  )
}

function alternativesOf(attributes: DerValue | undefined): Buffer | undefined {
  for (const attribute of attributes ? readAll(attributes.content) : []) {
    const [type, values] = readAll(attribute.content)
    if (!type || !values || objectIdentifierText(type) !== EXTENSION_REQUEST) continue
    for (const list of readAll(values.content)) {
      const found = readAll(list.content).find(extension => isAlternativeNames(extension))
      if (found) return readAll(found.content).find(({ tag }) => tag === OCTET_STRING)?.content
    }
  }
  return undefined
}

function isAlternativeNames(extension: DerValue): boolean {
  const [type] = readAll(extension.content)
  return type !== undefined && objectIdentifierText(type) === ALTERNATIVE_NAMES
}

function generalNames(alternatives: Buffer | undefined) {
  const values = alternatives ? readAll(readWhole(alternatives, SEQUENCE).content) : []
  const texts = (number: number) =>
    values.filter(({ tag }) => tag === (0x80 | number)).map(({ content }) => content)
  return {
    emailAddresses: texts(1).map(String),
    dnsNames: texts(2).map(String),
    uris: texts(6).map(String),
    ipAddresses: texts(7).map(addressText),
  }
}

function addressText(bytes: Buffer): string {
  if (bytes.length === 4) return [...bytes].join('.')
  const groups = Array.from({ length: bytes.length / 2 }, (_, index) =>
    bytes.readUInt16BE(index * 2).toString(16),
  )
  return groups.join(':')
}
