import type { CertificateSigningRequest } from '../types/certificates-v1.ts'

const has = ({ status }: CertificateSigningRequest, type: string) =>
  status?.conditions?.some(condition => condition.type === type) === true

export const isApproved = (request: CertificateSigningRequest): boolean => has(request, 'Approved')
export const isDenied = (request: CertificateSigningRequest): boolean => has(request, 'Denied')
export const hasFailed = (request: CertificateSigningRequest): boolean => has(request, 'Failed')
