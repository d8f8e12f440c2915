// Who may approve and sign certificate requests, and what nobody may ask for.
// Upstream: plugin/pkg/admission/certificates/{approval,signing,subjectrestriction}.
import { isDeepStrictEqual } from 'node:util'
import type { CertificateSigningRequest } from '../../api/types/certificates-v1.ts'
import { goQuote } from '../../api/validation/field-error.ts'
import { parseCertificateRequest, requestFromPem } from '../../base/x509/certificate-request.ts'
import type { Authorizer } from '../authz/authorizer.ts'
import { type AdmissionAttributes, type AdmissionPlugin, isResource, refuse } from './admission.ts'

const GROUP = 'certificates.k8s.io'
const API_CLIENT = 'kubernetes.io/kube-apiserver-client'

export function certificateApproval(authorizer: Authorizer): AdmissionPlugin {
  return {
    name: 'CertificateApproval',
    async validate(attributes) {
      if (!isRequest(attributes, 'approval')) return
      const { signerName } = (attributes.oldObject as unknown as CertificateSigningRequest).spec
      if (await isAllowed(authorizer, attributes, 'approve', signerName)) return
      throw refuse(
        attributes,
        `user not permitted to approve requests with signerName ${goQuote(signerName)}`,
      )
    },
  }
}

export function certificateSigning(authorizer: Authorizer): AdmissionPlugin {
  return {
    name: 'CertificateSigning',
    async validate(attributes) {
      if (!isRequest(attributes, 'status')) return
      const [request, old] = [attributes.object, attributes.oldObject].map(
        object => object as unknown as CertificateSigningRequest,
      )
      // Only certificates and conditions are signers' business.
      const isSame =
        request!.status?.certificate === old!.status?.certificate &&
        isDeepStrictEqual(request!.status?.conditions ?? [], old!.status?.conditions ?? [])
      if (isSame) return
      const { signerName } = old!.spec
      if (await isAllowed(authorizer, attributes, 'sign', signerName)) return
      throw refuse(attributes, `user not permitted to sign requests with signerName ${goQuote(signerName)}`)
    },
  }
}

export const certificateSubjectRestriction: AdmissionPlugin = {
  name: 'CertificateSubjectRestriction',
  validate(attributes) {
    const { operation, subresource, object } = attributes
    if (!isResource(attributes, 'certificatesigningrequests', GROUP) || operation !== 'CREATE' || subresource)
      return
    const { signerName, request } = (object as unknown as CertificateSigningRequest).spec
    const der = requestFromPem(Buffer.from(request, 'base64').toString())
    if (signerName !== API_CLIENT || !der) return
    if (!parseCertificateRequest(der).organizations.includes('system:masters')) return
    throw refuse(attributes, `use of ${API_CLIENT} signer with system:masters group is not allowed`)
  },
}

function isRequest(attributes: AdmissionAttributes, subresource: string): boolean {
  return (
    isResource(attributes, 'certificatesigningrequests', GROUP) &&
    attributes.operation === 'UPDATE' &&
    attributes.subresource === subresource
  )
}

/** For the signer itself, or for all of its domain. Upstream: plugin/pkg/admission/certificates/util.go. */
async function isAllowed(
  authorizer: Authorizer,
  { user }: AdmissionAttributes,
  verb: 'approve' | 'sign',
  signerName: string,
): Promise<boolean> {
  for (const name of [signerName, `${signerName.split('/')[0]}/*`]) {
    const { decision } = await authorizer.authorize({
      user,
      verb,
      group: GROUP,
      version: '*',
      resource: 'signers',
      name,
    })
    if (decision === 'allow') return true
  }
  return false
}
