// Who is calling. Each Authenticator knows one kind of credential; the union asks them in turn.
import type { X509Certificate } from 'node:crypto'
import type { UserInfo } from '../../api/request.ts'
import { StatusError, unauthorized } from '../../api/status-error.ts'

export interface Credentials {
  /** From 'Authorization: Bearer …'. */
  bearerToken?: string
  /** Presented over TLS. `trusted` is OpenSSL's verdict against the cluster's authority. */
  clientCertificate?: { certificate: X509Certificate; trusted: boolean }
}

/** Answers undefined for credentials of another kind; throws Unauthorized for bad ones of its own kind. */
export type Authenticator = (credentials: Credentials) => UserInfo | undefined | Promise<UserInfo | undefined>

export const ANONYMOUS: UserInfo = { name: 'system:anonymous', groups: ['system:unauthenticated'] }

/**
 * The first that knows the caller wins; when none does, bad credentials are refused without saying why. No
 * credentials at all is undefined: the caller is anonymous.
 */
export function unionAuthenticator(authenticators: readonly Authenticator[]): Authenticator {
  return async credentials => {
    let refusal: unknown
    for (const authenticate of authenticators) {
      try {
        const user = await authenticate(credentials)
        if (user) return withAuthenticatedGroup(user)
      } catch (error) {
        refusal = error
      }
    }
    // Whoever tries credentials out learns nothing from the answer. What is broken here is no refusal.
    if (refusal !== undefined) throw refusal instanceof StatusError ? unauthorized() : refusal
    if (credentials.bearerToken !== undefined) throw unauthorized()
    return undefined
  }
}

/** Upstream: group.NewAuthenticatedGroupAdder. */
export function withAuthenticatedGroup(user: UserInfo): UserInfo {
  const { groups } = user
  if (groups.includes('system:authenticated') || groups.includes('system:unauthenticated')) return user
  return { ...user, groups: [...groups, 'system:authenticated'] }
}

/** CN is the name, each O a group. Upstream: x509.CommonNameUserConversion. */
export const clientCertificateAuthenticator: Authenticator = ({ clientCertificate }) => {
  if (!clientCertificate) return undefined
  if (!clientCertificate.trusted) throw unauthorized()
  const subject = parseSubject(clientCertificate.certificate.subject)
  const name = subject.find(([key]) => key === 'CN')?.[1]
  if (!name) return undefined
  const groups = subject.filter(([key]) => key === 'O').map(([, value]) => value)
  return {
    name,
    groups,
    extra: { 'authentication.kubernetes.io/credential-id': [credentialId(clientCertificate.certificate)] },
  }
}

/** Node writes one attribute a line and escapes line ends inside values. */
function parseSubject(subject: string): [key: string, value: string][] {
  return subject.split('\n').map(line => {
    const equals = line.indexOf('=')
    return [line.slice(0, equals), line.slice(equals + 1).replace(/\\(.)/g, '$1')]
  })
}

function credentialId(certificate: X509Certificate): string {
  return `X509SHA256=${certificate.fingerprint256.replaceAll(':', '').toLowerCase()}`
}
