// Which requests the cluster's own signers sign, and why not the others. Pure.
// Upstream: pkg/apis/certificates/helpers.go and pkg/controller/certificates/signer/signer.go.
import type { ParsedCertificateRequest } from '../../base/x509/certificate-request.ts'
import type { CertificateSigningRequestSpec, KeyUsage } from '../types/certificates-v1.ts'

export const API_CLIENT = 'kubernetes.io/kube-apiserver-client'
export const KUBELET_CLIENT = 'kubernetes.io/kube-apiserver-client-kubelet'
export const KUBELET_SERVING = 'kubernetes.io/kubelet-serving'

const CLIENT_USAGES: readonly KeyUsage[] = ['digital signature', 'key encipherment', 'client auth']
const SERVING_USAGES: readonly KeyUsage[] = ['digital signature', 'key encipherment', 'server auth']
const NODE_PREFIX = 'system:node:'

type Judge = (request: ParsedCertificateRequest, spec: CertificateSigningRequestSpec) => string | undefined

const judges: Record<string, Judge> = {
  [API_CLIENT]: (_, { usages = [] }) => usagesProblem(usages, CLIENT_USAGES, 'client auth'),
  [KUBELET_CLIENT]: kubeletClientProblem,
  [KUBELET_SERVING]: kubeletServingProblem,
}

export const isOwnSigner = (signerName: string): boolean => judges[signerName] !== undefined

/** Why the signer does not sign; undefined when it does. */
export function signerProblem(
  request: ParsedCertificateRequest,
  spec: CertificateSigningRequestSpec,
): string | undefined {
  return judges[spec.signerName]?.(request, spec)
}

function usagesProblem(
  usages: readonly KeyUsage[],
  allowed: readonly KeyUsage[],
  needed: KeyUsage,
): string | undefined {
  const fits = usages.includes(needed) && usages.every(usage => allowed.includes(usage))
  return fits ? undefined : `usages did not match [${[...allowed].sort().join(' ')}]`
}

export function kubeletClientProblem(
  request: ParsedCertificateRequest,
  { usages = [] }: CertificateSigningRequestSpec,
): string | undefined {
  if (!isNodesOnly(request)) return 'subject organization is not system:nodes'
  if (request.dnsNames.length > 0) return 'DNS subjectAltNames are not allowed'
  if (request.emailAddresses.length > 0) return 'Email subjectAltNames are not allowed'
  if (request.ipAddresses.length > 0) return 'IP subjectAltNames are not allowed'
  if (request.uris.length > 0) return 'URI subjectAltNames are not allowed'
  if (!request.commonName.startsWith(NODE_PREFIX))
    return 'subject common name does not begin with system:node:'
  return usagesProblem(usages, CLIENT_USAGES, 'client auth')
}

function kubeletServingProblem(
  request: ParsedCertificateRequest,
  { usages = [], username }: CertificateSigningRequestSpec,
): string | undefined {
  if (!isNodesOnly(request)) return 'subject organization is not system:nodes'
  if (request.dnsNames.length + request.ipAddresses.length === 0)
    return 'DNS or IP subjectAltName is required'
  if (request.emailAddresses.length > 0) return 'Email subjectAltNames are not allowed'
  if (request.uris.length > 0) return 'URI subjectAltNames are not allowed'
  if (!request.commonName.startsWith(NODE_PREFIX))
    return 'subject common name does not begin with system:node:'
  // A node asks for itself only.
  if (request.commonName !== username) return 'subject common name does not match the requesting user'
  return usagesProblem(usages, SERVING_USAGES, 'server auth')
}

const isNodesOnly = ({ organizations }: ParsedCertificateRequest) =>
  organizations.length === 1 && organizations[0] === 'system:nodes'

const BITS: Partial<Record<KeyUsage, number>> = {
  signing: 0,
  'digital signature': 0,
  'content commitment': 1,
  'key encipherment': 2,
  'data encipherment': 3,
  'key agreement': 4,
  'cert sign': 5,
  'crl sign': 6,
  'encipher only': 7,
  'decipher only': 8,
}

const EXTENDED: Partial<Record<KeyUsage, string>> = {
  any: '2.5.29.37.0',
  'server auth': '1.3.6.1.5.5.7.3.1',
  'client auth': '1.3.6.1.5.5.7.3.2',
  'code signing': '1.3.6.1.5.5.7.3.3',
  'email protection': '1.3.6.1.5.5.7.3.4',
  's/mime': '1.3.6.1.5.5.7.3.4',
  'ipsec end system': '1.3.6.1.5.5.7.3.5',
  'ipsec tunnel': '1.3.6.1.5.5.7.3.6',
  'ipsec user': '1.3.6.1.5.5.7.3.7',
  timestamping: '1.3.6.1.5.5.7.3.8',
  'ocsp signing': '1.3.6.1.5.5.7.3.9',
  'microsoft sgc': '1.3.6.1.4.1.311.10.3.3',
  'netscape sgc': '2.16.840.1.113730.4.1',
}

/** As a certificate writes them down. */
export function keyUsesOf(usages: readonly KeyUsage[]): { keyUsage: number[]; extended: string[] } {
  const of = <T>(table: Partial<Record<KeyUsage, T>>) => [
    ...new Set(usages.flatMap(usage => table[usage] ?? [])),
  ]
  return { keyUsage: of(BITS).sort((a, b) => a - b), extended: of(EXTENDED) }
}
