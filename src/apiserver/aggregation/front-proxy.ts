// How this server shows itself to the servers behind it: an authority and a certificate of their own, made anew at
// every start, and the ConfigMap that tells them whom to believe. Upstream: --requestheader-* and --proxy-client-*.
import { generateEcKeyPair, issueCertificate, privateKeyPem } from '../../base/x509/certificate.ts'

const NAME = 'front-proxy-client'
const YEAR_MS = 365 * 86_400_000
const BACKDATE_MS = 5 * 60_000

export interface FrontProxy {
  /** PEM, as all that follow. */
  authority: string
  certificate: string
  privateKey: string
}

/** `now`: epoch milliseconds. */
export function makeFrontProxy(now: number): FrontProxy {
  const keys = generateEcKeyPair()
  const subject = { commonName: 'front-proxy-ca' }
  const issuer = { subject, ...keys }
  const times = { notBefore: now - BACKDATE_MS, notAfter: now + 10 * YEAR_MS }
  const authority = issueCertificate({
    subject,
    publicKey: keys.publicKey,
    issuer,
    ...times,
    usage: 'authority',
  })
  const own = generateEcKeyPair()
  const certificate = issueCertificate({
    subject: { commonName: NAME },
    publicKey: own.publicKey,
    issuer,
    ...times,
    usage: 'client',
  })
  return { authority, certificate, privateKey: privateKeyPem(own.privateKey) }
}

/** Data of kube-system/extension-apiserver-authentication. */
export function authenticationFacts(
  clientAuthority: string,
  { authority }: FrontProxy,
): Record<string, string> {
  return {
    'client-ca-file': clientAuthority,
    'requestheader-allowed-names': JSON.stringify([NAME]),
    'requestheader-client-ca-file': authority,
    'requestheader-extra-headers-prefix': JSON.stringify(['X-Remote-Extra-']),
    'requestheader-group-headers': JSON.stringify(['X-Remote-Group']),
    'requestheader-uid-headers': JSON.stringify(['X-Remote-Uid']),
    'requestheader-username-headers': JSON.stringify(['X-Remote-User']),
  }
}
