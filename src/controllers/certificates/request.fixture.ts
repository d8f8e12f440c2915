// Writes certificate requests for tests, as openssl would.
import { sign } from 'node:crypto'
import { generateEcKeyPair } from '../../base/x509/certificate.ts'
import {
  bitString,
  contextSpecific,
  encode,
  integer,
  objectIdentifier,
  octetString,
  sequence,
  setOf,
  utf8String,
} from '../../base/x509/der.ts'

export interface AskedFor {
  commonName: string
  organizations?: string[]
  dnsNames?: string[]
}

/** Base64 of PEM, as spec.request has it. */
export function encodedRequest({ commonName, organizations = [], dnsNames = [] }: AskedFor): string {
  const { publicKey, privateKey } = generateEcKeyPair()
  const attribute = (oid: string, value: string) => setOf(sequence(objectIdentifier(oid), utf8String(value)))
  const name = sequence(
    ...organizations.map(value => attribute('2.5.4.10', value)),
    attribute('2.5.4.3', commonName),
  )
  const names = sequence(...dnsNames.map(dns => contextSpecific(2, false, Buffer.from(dns))))
  const extensions = sequence(sequence(objectIdentifier('2.5.29.17'), octetString(names)))
  const attributes =
    dnsNames.length > 0 ? [sequence(objectIdentifier('1.2.840.113549.1.9.14'), setOf(extensions))] : []
  const spki = publicKey.export({ type: 'spki', format: 'der' })
  const info = sequence(integer(Buffer.from([0])), name, spki, encode(0xa0, ...attributes))
  const algorithm = sequence(objectIdentifier('1.2.840.10045.4.3.2'))
  const der = sequence(info, algorithm, bitString(sign('sha256', info, privateKey)))
  const pem = `-----BEGIN CERTIFICATE REQUEST-----\n${der.toString('base64')}\n-----END CERTIFICATE REQUEST-----\n`
  return Buffer.from(pem).toString('base64')
}
