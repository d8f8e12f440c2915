// A certificate that vouches for itself, for servers of tests.
import { type CertificateRequest, generateEcKeyPair, issueCertificate, privateKeyPem } from './certificate.ts'

/** Both PEM, as node:tls takes them; valid from 2020 to 2096. */
export interface SelfSigned {
  key: string
  cert: string
}

export function selfSigned(
  commonName: string,
  more: Pick<CertificateRequest, 'dnsNames' | 'ipAddresses'> & { usage?: CertificateRequest['usage'] },
): SelfSigned {
  const keys = generateEcKeyPair()
  const subject = { commonName }
  const cert = issueCertificate({
    subject,
    publicKey: keys.publicKey,
    issuer: { subject, ...keys },
    notBefore: 1_600_000_000_000,
    notAfter: 4_000_000_000_000,
    usage: 'server',
    ...more,
  })
  return { key: privateKeyPem(keys.privateKey), cert }
}
