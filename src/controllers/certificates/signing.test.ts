import assert from 'node:assert/strict'
import { createPublicKey, X509Certificate } from 'node:crypto'
import { test } from 'node:test'
import type { CertificateSigningRequest, KeyUsage } from '../../api/types/certificates-v1.ts'
import { generateEcKeyPair, issueCertificate } from '../../base/x509/certificate.ts'
import { isOver } from './cleaning.ts'
import { encodedRequest } from './request.fixture.ts'
import { signedOrFailed } from './signing.ts'

const NOW = Date.parse('2026-01-01T00:00:00Z')
const keys = generateEcKeyPair()
const subject = { commonName: 'kubernetes' }
const authority = {
  key: keys.privateKey,
  certificate: issueCertificate({
    subject,
    publicKey: keys.publicKey,
    issuer: { subject, ...keys },
    notBefore: NOW,
    notAfter: NOW + 2 * 365 * 86_400_000,
    usage: 'authority',
  }),
}

function request(
  asked: Parameters<typeof encodedRequest>[0],
  signerName: string,
  usages: KeyUsage[],
  more: object = {},
): CertificateSigningRequest {
  const spec = { request: encodedRequest(asked), signerName, usages, username: 'system:node:n1', ...more }
  return {
    apiVersion: 'certificates.k8s.io/v1',
    kind: 'CertificateSigningRequest',
    metadata: { name: 'r' },
    spec,
    status: {},
  } as unknown as CertificateSigningRequest
}

const API_CLIENT = 'kubernetes.io/kube-apiserver-client'
const KUBELET = 'kubernetes.io/kube-apiserver-client-kubelet'
const SERVING = 'kubernetes.io/kubelet-serving'
const node = { commonName: 'system:node:n1', organizations: ['system:nodes'] }

test('what is signed is what was asked for, for as long as was asked, by the authority', () => {
  const asked = request({ ...node, dnsNames: ['n1'] }, SERVING, ['digital signature', 'server auth'], {
    expirationSeconds: 600,
  })
  const { status } = signedOrFailed(asked, authority, NOW)
  const certificate = new X509Certificate(Buffer.from(status.certificate!, 'base64').toString())
  assert.equal(certificate.subject, 'O=system:nodes\nCN=system:node:n1')
  assert.equal(certificate.subjectAltName, 'DNS:n1')
  assert.deepEqual(certificate.keyUsage, ['1.3.6.1.5.5.7.3.1'])
  assert.equal(certificate.validToDate.getTime(), NOW + 600_000)
  assert.ok(certificate.verify(createPublicKey(authority.key)))
})

test('a certificate lives no longer than a year', () => {
  const asked = request({ commonName: 'bob' }, API_CLIENT, ['client auth'], {
    expirationSeconds: 10 * 365 * 86_400,
  })
  const { status } = signedOrFailed(asked, authority, NOW)
  const { validToDate } = new X509Certificate(Buffer.from(status.certificate!, 'base64').toString())
  assert.equal(validToDate.getTime(), NOW + 365 * 86_400_000)
})

const failures: [title: string, request: CertificateSigningRequest, message: string][] = [
  [
    'usages that are not for clients',
    request({ commonName: 'bob' }, API_CLIENT, ['client auth', 'code signing']),
    'usages did not match [client auth digital signature key encipherment]',
  ],
  [
    'a node without its group',
    request({ commonName: 'system:node:n1' }, KUBELET, ['client auth']),
    'subject organization is not system:nodes',
  ],
  [
    'a node with another name',
    request({ commonName: 'n1', organizations: ['system:nodes'] }, KUBELET, ['client auth']),
    'subject common name does not begin with system:node:',
  ],
  [
    'a kubelet that asks for addresses',
    request({ ...node, dnsNames: ['n1'] }, KUBELET, ['client auth']),
    'DNS subjectAltNames are not allowed',
  ],
  [
    'a server without a name',
    request(node, SERVING, ['server auth']),
    'DNS or IP subjectAltName is required',
  ],
  [
    'a server of another node',
    request({ ...node, commonName: 'system:node:n2', dnsNames: ['n2'] }, SERVING, ['server auth']),
    'subject common name does not match the requesting user',
  ],
]
for (const [title, asked, message] of failures) {
  test(`not signed: ${title}`, () => {
    const { status } = signedOrFailed(asked, authority, NOW)
    assert.equal(status.certificate, undefined)
    const { type, reason, message: said } = status.conditions!.at(-1)!
    assert.deepEqual([type, reason, said], ['Failed', 'SignerValidationFailure', message])
  })
}

const HOUR = 3_600_000
const ago = (ms: number) => new Date(NOW - ms).toISOString()
const settled = (type: string, ms: number) => ({
  conditions: [{ type, status: 'True', lastUpdateTime: ago(ms) }],
})
const ends: [title: string, status: object, ageMs: number, over: boolean][] = [
  ['pending for a while', {}, 23 * HOUR, false],
  ['pending for more than a day', {}, 25 * HOUR, true],
  ['denied just now', settled('Denied', 1000), 48 * HOUR, false],
  ['denied an hour ago', settled('Denied', HOUR + 1000), 2 * HOUR, true],
  ['approved an hour ago', settled('Approved', HOUR + 1000), 2 * HOUR, true],
  ['failed an hour ago', settled('Failed', HOUR + 1000), 2 * HOUR, true],
]
for (const [title, status, ageMs, over] of ends) {
  test(`a request ${title} ${over ? 'goes' : 'stays'}`, () => {
    const one = request({ commonName: 'bob' }, API_CLIENT, ['client auth'])
    const given = { ...one, metadata: { ...one.metadata, creationTimestamp: ago(ageMs) }, status }
    assert.equal(isOver(given as CertificateSigningRequest, NOW), over)
  })
}
