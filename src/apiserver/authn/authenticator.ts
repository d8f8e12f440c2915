// Who is calling. Each Authenticator knows one kind of credential; the union asks them in turn.
import type { X509Certificate } from 'node:crypto'
import type { UserInfo } from '../../api/request.ts'
import { StatusError, unauthorized } from '../../api/status-error.ts'
import { subjectUser } from '../../base/x509/subject.ts'

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

export const clientCertificateAuthenticator: Authenticator = ({ clientCertificate }) => {
  if (!clientCertificate) return undefined
  if (!clientCertificate.trusted) throw unauthorized()
  const user = subjectUser(clientCertificate.certificate.subject)
  if (!user) return undefined
  return {
    ...user,
    extra: { 'authentication.kubernetes.io/credential-id': [credentialId(clientCertificate.certificate)] },
  }
}

function credentialId(certificate: X509Certificate): string {
  return `X509SHA256=${certificate.fingerprint256.replaceAll(':', '').toLowerCase()}`
}
