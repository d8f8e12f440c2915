// Approves the certificates that nodes ask for, where RBAC lets the asker have them.
// Upstream: pkg/controller/certificates/approver.
import { isApproved, isDenied } from '../../api/certificates/conditions.ts'
import { KUBELET_CLIENT, kubeletClientProblem } from '../../api/certificates/signers.ts'
import { certificateSigningRequests, subjectAccessReviews } from '../../api/resources.ts'
import type { SubjectAccessReview } from '../../api/types/authorization-v1.ts'
import type { CertificateSigningRequest } from '../../api/types/certificates-v1.ts'
import { parseCertificateRequest, requestFromPem } from '../../base/x509/certificate-request.ts'
import type { ControllerContext } from '../controller-context.ts'
import { reconcileRequests } from './reconcile-requests.ts'

interface Recognizer {
  subresource: 'selfnodeclient' | 'nodeclient'
  message: string
  /** Only the node itself may ask. */
  self: boolean
}

const recognizers: readonly Recognizer[] = [
  {
    subresource: 'selfnodeclient',
    message: 'Auto approving self kubelet client certificate after SubjectAccessReview.',
    self: true,
  },
  {
    subresource: 'nodeclient',
    message: 'Auto approving kubelet client certificate after SubjectAccessReview.',
    self: false,
  },
]

/** Runs until the signal aborts. */
export function runCertificateApproving(context: ControllerContext, signal: AbortSignal): Promise<void> {
  return reconcileRequests(context, signal, async request => {
    if (request.status?.certificate || isApproved(request) || isDenied(request)) return
    const recognizer = await firstAllowed(context, request)
    if (!recognizer) return
    const approved = { type: 'Approved', status: 'True', reason: 'AutoApproved', message: recognizer.message }
    const conditions = [...(request.status?.conditions ?? []), approved]
    const changed = { ...request, status: { ...request.status, conditions } }
    await context.client.update(certificateSigningRequests, changed, { subresource: 'approval' })
  })
}

async function firstAllowed(
  context: ControllerContext,
  request: CertificateSigningRequest,
): Promise<Recognizer | undefined> {
  const { spec } = request
  const der = requestFromPem(Buffer.from(spec.request, 'base64').toString())
  if (spec.signerName !== KUBELET_CLIENT || !der) return undefined
  const parsed = parseCertificateRequest(der)
  if (kubeletClientProblem(parsed, spec)) return undefined
  for (const recognizer of recognizers) {
    if (recognizer.self && parsed.commonName !== spec.username) continue
    if (await isAllowed(context, request, recognizer)) return recognizer
  }
  return undefined
}

async function isAllowed(
  { client }: ControllerContext,
  { spec }: CertificateSigningRequest,
  { subresource }: Recognizer,
): Promise<boolean> {
  const { username = '', uid, groups = [], extra } = spec
  const review = await client.create(subjectAccessReviews, {
    metadata: {},
    spec: {
      user: username,
      groups,
      ...(uid && { uid }),
      ...(extra && { extra }),
      resourceAttributes: {
        group: 'certificates.k8s.io',
        resource: 'certificatesigningrequests',
        verb: 'create',
        subresource,
        version: '*',
      },
    },
  } as unknown as SubjectAccessReview)
  return review.status?.allowed === true
}
