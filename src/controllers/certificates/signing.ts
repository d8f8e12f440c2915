// Signs approved certificate requests for the signers kubernetes.io/*. Upstream: pkg/controller/certificates/signer.
import { createPublicKey, type KeyObject, X509Certificate } from 'node:crypto'
import { hasFailed, isApproved, isDenied } from '../../api/certificates/conditions.ts'
import { isOwnSigner, keyUsesOf, signerProblem } from '../../api/certificates/signers.ts'
import { certificateSigningRequests } from '../../api/resources.ts'
import { formatTime } from '../../api/time.ts'
import type { CertificateSigningRequest } from '../../api/types/certificates-v1.ts'
import { issueCertificate } from '../../base/x509/certificate.ts'
import { parseCertificateRequest, requestFromPem } from '../../base/x509/certificate-request.ts'
import type { ControllerContext } from '../controller-context.ts'
import { reconcileRequests } from './reconcile-requests.ts'

export interface SigningAuthority {
  /** PEM. */
  certificate: string
  key: KeyObject
}

const YEAR_MS = 365 * 86_400_000
const BACKDATE_MS = 5 * 60_000
const SUBJECT = { commonName: 'kubernetes' }

/** Runs until the signal aborts. */
export function runCertificateSigning(
  context: ControllerContext,
  authority: SigningAuthority,
  signal: AbortSignal,
): Promise<void> {
  const { client, clock } = context
  return reconcileRequests(context, signal, async request => {
    const { spec, status } = request
    if (!isApproved(request) || isDenied(request) || hasFailed(request) || status?.certificate) return
    if (!isOwnSigner(spec.signerName)) return
    const changed = signedOrFailed(request, authority, clock.now())
    await client.update(certificateSigningRequests, changed, { subresource: 'status' })
  })
}

/** Pure but for the signature's randomness. `now`: epoch milliseconds. */
export function signedOrFailed(
  request: CertificateSigningRequest,
  authority: SigningAuthority,
  now: number,
): CertificateSigningRequest {
  const { spec, status } = request
  const der = requestFromPem(Buffer.from(spec.request, 'base64').toString())
  // The API takes no other requests.
  if (!der) throw new Error('the request is not PEM')
  const parsed = parseCertificateRequest(der)
  const problem = signerProblem(parsed, spec)
  if (problem) {
    const at = formatTime(now)
    const failed = {
      type: 'Failed',
      status: 'True',
      reason: 'SignerValidationFailure',
      message: problem,
      lastUpdateTime: at,
      lastTransitionTime: at,
    }
    return { ...request, status: { ...status, conditions: [...(status?.conditions ?? []), failed] } }
  }
  const certificate = issueCertificate({
    subject: parsed.subject,
    publicKey: parsed.publicKey,
    issuer: { subject: SUBJECT, publicKey: createPublicKey(authority.key), privateKey: authority.key },
    notBefore: now - BACKDATE_MS,
    notAfter: Math.min(now + lifetimeMs(spec.expirationSeconds), endOf(authority)),
    usage: keyUsesOf(spec.usages ?? []),
    ...(parsed.alternatives && { alternatives: parsed.alternatives }),
  })
  return { ...request, status: { ...status, certificate: Buffer.from(certificate).toString('base64') } }
}

const lifetimeMs = (seconds: number | undefined) =>
  Math.min(seconds === undefined ? YEAR_MS : seconds * 1000, YEAR_MS)

const endOf = ({ certificate }: SigningAuthority) => new X509Certificate(certificate).validToDate.getTime()
