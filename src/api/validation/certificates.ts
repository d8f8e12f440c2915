// Certificate signing requests. Upstream: pkg/apis/certificates/validation.
import { parseCertificateRequest, requestFromPem } from '../../base/x509/certificate-request.ts'
import type {
  CertificateSigningRequest,
  CertificateSigningRequestCondition as Condition,
} from '../types/certificates-v1.ts'
import {
  duplicate,
  type FieldError,
  forbiddenField,
  invalidValue,
  notSupported,
  required,
  same,
} from './field-error.ts'
import { validateSignerName } from './signer-name.ts'
import type { Validator } from './validator.ts'

const SHORTEST_SECONDS = 600
const USAGES = [
  'any',
  'cert sign',
  'client auth',
  'code signing',
  'content commitment',
  'crl sign',
  'data encipherment',
  'decipher only',
  'digital signature',
  'email protection',
  'encipher only',
  'ipsec end system',
  'ipsec tunnel',
  'ipsec user',
  'key agreement',
  'key encipherment',
  'microsoft sgc',
  'netscape sgc',
  'ocsp signing',
  's/mime',
  'server auth',
  'signing',
  'timestamping',
]

function validateCreate({ spec }: CertificateSigningRequest): FieldError[] {
  const errors: FieldError[] = []
  const problem = requestProblem(spec.request)
  if (problem) errors.push(invalidValue('spec.request', spec.request ?? '', problem))
  const { usages = [], expirationSeconds } = spec
  if (usages.length === 0) errors.push(required('spec.usages', 'usages are required'))
  const seen = new Set<string>()
  for (const [index, usage] of usages.entries()) {
    const path = `spec.usages[${index}]`
    if (seen.has(usage)) errors.push(duplicate(path, usage))
    else if (!USAGES.includes(usage)) errors.push(notSupported(path, usage, USAGES))
    seen.add(usage)
  }
  if (spec.signerName === 'kubernetes.io/legacy-unknown') {
    errors.push(
      invalidValue(
        'spec.signerName',
        spec.signerName,
        'the legacy signerName is not allowed via this API version',
      ),
    )
  } else errors.push(...validateSignerName(spec.signerName ?? '', 'spec.signerName'))
  if (expirationSeconds !== undefined && expirationSeconds < SHORTEST_SECONDS) {
    errors.push(
      invalidValue(
        'spec.expirationSeconds',
        expirationSeconds,
        'may not specify a duration less than 600 seconds (10 minutes)',
      ),
    )
  }
  return errors
}

function requestProblem(base64 = ''): string | undefined {
  const der = requestFromPem(Buffer.from(base64, 'base64').toString())
  if (!der) return 'PEM block type must be CERTIFICATE REQUEST'
  try {
    parseCertificateRequest(der)
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

const SETTLED = ['Approved', 'Denied']

function validateUpdate(request: CertificateSigningRequest, old: CertificateSigningRequest): FieldError[] {
  const path = 'status.conditions'
  const conditions = request.status?.conditions ?? []
  const errors = conditions.flatMap((condition, index) => conditionProblems(condition, `${path}[${index}]`))
  const types = new Set(conditions.map(({ type }) => type))
  if (types.has('Approved') && types.has('Denied')) {
    errors.push(invalidValue(path, 'Denied', 'Approved and Denied conditions are mutually exclusive'))
  }
  for (const before of old.status?.conditions ?? []) {
    if (![...SETTLED, 'Failed'].includes(before.type)) continue
    const now = conditions.find(({ type }) => type === before.type)
    if (!now)
      errors.push(
        forbiddenField(path, `updates may not remove a condition of type ${JSON.stringify(before.type)}`),
      )
  }
  if (old.status?.certificate && !same(old.status.certificate, request.status?.certificate)) {
    errors.push(
      forbiddenField('status.certificate', 'updates may not set certificate content if already set'),
    )
  }
  return errors
}

function conditionProblems({ type, status }: Condition, path: string): FieldError[] {
  if (!type) return [required(`${path}.type`)]
  if (!status) return [required(`${path}.status`)]
  if (['Approved', 'Denied', 'Failed'].includes(type) && status !== 'True') {
    return [notSupported(`${path}.status`, status, ['True'])]
  }
  return []
}

export const certificateChecks: Record<string, Validator> = {
  'certificates.k8s.io/CertificateSigningRequest': {
    create: validateCreate,
    subresources: { status: validateUpdate },
  },
}
