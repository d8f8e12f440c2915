import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { generateEcKeyPair, issueCertificate } from './certificate.ts'

const START = Date.UTC(2026, 0, 1)
const END = Date.UTC(2056, 0, 1)

function authority() {
  const keys = generateEcKeyPair()
  const subject = { commonName: 'test-ca' }
  const issuer = { subject, ...keys }
  const certificate = issueCertificate({
    subject,
    publicKey: keys.publicKey,
    issuer,
    notBefore: START,
    notAfter: END,
    usage: 'authority',
  })
  return { issuer, certificate }
}

function serverCertificate(issuer: ReturnType<typeof authority>['issuer']): string {
  return issueCertificate({
    subject: { commonName: 'server', organizations: ['system:masters', 'dev'] },
    publicKey: generateEcKeyPair().publicKey,
    issuer,
    notBefore: START,
    notAfter: END,
    usage: 'server',
    dnsNames: ['localhost', 'kubernetes.default.svc'],
    ipAddresses: ['127.0.0.1', '::1', 'fe80::1:2', '::ffff:10.96.0.1'],
  })
}

test('a leaf verifies against its authority and names its subject, names and addresses', () => {
  const { issuer, certificate } = authority()
  const leaf = new X509Certificate(serverCertificate(issuer))
  assert.equal(leaf.verify(issuer.publicKey), true)
  assert.equal(leaf.checkIssued(new X509Certificate(certificate)), true)
  assert.equal(leaf.subject, 'O=system:masters\nO=dev\nCN=server')
  assert.equal(leaf.checkHost('localhost'), 'localhost')
  assert.equal(leaf.checkIP('127.0.0.1'), '127.0.0.1')
  assert.equal(leaf.checkIP('::1'), '::1')
  assert.equal(leaf.checkIP('fe80::1:2'), 'fe80::1:2')
  assert.equal(leaf.checkIP('10.0.0.1'), undefined)
  assert.equal(leaf.validToDate.getTime(), END)
})

test('openssl accepts the chain for a TLS server and shows every extension', () => {
  const directory = mkdtempSync(join(tmpdir(), 'x509-'))
  try {
    const { issuer, certificate } = authority()
    writeFileSync(join(directory, 'ca.crt'), certificate)
    writeFileSync(join(directory, 'leaf.crt'), serverCertificate(issuer))
    const verify = ['verify', '-x509_strict', '-purpose', 'sslserver', '-CAfile', 'ca.crt', 'leaf.crt']
    assert.match(execFileSync('openssl', verify, { cwd: directory, encoding: 'utf8' }), /leaf\.crt: OK/)
    const text = execFileSync('openssl', ['x509', '-in', 'leaf.crt', '-noout', '-text'], {
      cwd: directory,
      encoding: 'utf8',
    })
    for (const expected of [
      'X509v3 Key Usage: critical',
      'Digital Signature',
      'TLS Web Server Authentication',
      'CA:FALSE',
      'X509v3 Subject Key Identifier',
      'X509v3 Authority Key Identifier',
      'DNS:localhost, DNS:kubernetes.default.svc, IP Address:127.0.0.1',
    ]) {
      assert.ok(text.includes(expected), `${expected} in\n${text}`)
    }
  } finally {
    rmSync(directory, { recursive: true })
  }
})
