// TLS for servers whose clients may show certificates.
import type { TlsOptions } from 'node:tls'

export interface TlsIdentity {
  /** PEM. */
  certificate: string
  privateKey: string
  /** Who signs the certificates of clients that are believed. */
  clientAuthority: string
}

/** A client without a certificate, or with a bad one, gets as far as its request: there it is told more than here. */
export function mutualTls({ certificate, privateKey, clientAuthority }: TlsIdentity): TlsOptions {
  return {
    cert: certificate,
    key: privateKey,
    ca: clientAuthority,
    requestCert: true,
    // A bad certificate is answered with 401, which says more than a broken connection.
    rejectUnauthorized: false,
    minVersion: 'TLSv1.2',
    ALPNProtocols: ['http/1.1'],
  }
}
