import { humanDuration } from '../../api/duration.ts'
import type {
  MutatingWebhookConfiguration,
  ValidatingAdmissionPolicy,
  ValidatingAdmissionPolicyBinding,
  ValidatingWebhookConfiguration,
} from '../../api/types/admissionregistration-v1.ts'
import type { CertificateSigningRequest } from '../../api/types/certificates-v1.ts'
import type { ClusterRoleBinding, RoleBinding } from '../../api/types/rbac-v1.ts'
import { ageOf, NONE } from './cells.ts'
import { AGE, column, NAME, type TableKind, wide } from './table.ts'

/** Role bindings and cluster role bindings alike. */
export const roleBindingTable: TableKind<RoleBinding | ClusterRoleBinding> = {
  columns: [
    NAME,
    column('Role', 'Role that is given.'),
    AGE,
    wide('Users', 'Users who get it.'),
    wide('Groups', 'Groups that get it.'),
    wide('ServiceAccounts', 'Service accounts that get it.'),
  ],
  cells: ({ metadata, roleRef, subjects = [] }, now) => {
    const named = (wanted: string) => subjects.filter(({ kind }) => kind === wanted)
    return [
      metadata.name,
      `${roleRef.kind}/${roleRef.name}`,
      ageOf(metadata, now),
      named('User')
        .map(({ name }) => name)
        .join(', '),
      named('Group')
        .map(({ name }) => name)
        .join(', '),
      named('ServiceAccount')
        .map(({ namespace = '', name }) => `${namespace}/${name}`)
        .join(', '),
    ]
  },
}

export const certificateSigningRequestTable: TableKind<CertificateSigningRequest> = {
  columns: [
    NAME,
    AGE,
    column('SignerName', 'Who is asked to sign.'),
    column('Requestor', 'Who asked.'),
    column('RequestedDuration', 'How long the certificate should last.'),
    column('Condition', 'Whether it is approved and issued.'),
  ],
  cells: ({ metadata, spec, status }, now) => [
    metadata.name,
    ageOf(metadata, now),
    spec.signerName || NONE,
    spec.username ?? '',
    spec.expirationSeconds === undefined ? NONE : humanDuration(spec.expirationSeconds * 1000),
    requestCondition(status),
  ],
}

function requestCondition({ conditions = [], certificate }: CertificateSigningRequest['status']): string {
  const has = (wanted: string) => conditions.some(({ type }) => type === wanted)
  const verdict = has('Denied') ? 'Denied' : has('Approved') ? 'Approved' : 'Pending'
  return verdict + (has('Failed') ? ',Failed' : '') + (certificate ? ',Issued' : '')
}

export const webhookConfigurationTable: TableKind<
  ValidatingWebhookConfiguration | MutatingWebhookConfiguration
> = {
  columns: [NAME, column('Webhooks', 'Number of webhooks.', 'integer'), AGE],
  cells: ({ metadata, webhooks = [] }, now) => [metadata.name, webhooks.length, ageOf(metadata, now)],
}

export const validatingAdmissionPolicyTable: TableKind<ValidatingAdmissionPolicy> = {
  columns: [
    NAME,
    column('Validations', 'Number of rules.', 'integer'),
    column('ParamKind', 'Kind of the objects that give parameters.'),
    AGE,
  ],
  cells: ({ metadata, spec }, now) => {
    const kind = spec.paramKind
    return [
      metadata.name,
      spec.validations?.length ?? 0,
      kind ? `${kind.apiVersion}/${kind.kind}` : '<unset>',
      ageOf(metadata, now),
    ]
  },
}

export const validatingAdmissionPolicyBindingTable: TableKind<ValidatingAdmissionPolicyBinding> = {
  columns: [
    NAME,
    column('PolicyName', 'Policy that is put to use.'),
    column('ParamRef', 'Object that gives parameters.'),
    AGE,
  ],
  cells: ({ metadata, spec }, now) => {
    const { namespace, name } = spec.paramRef ?? {}
    const reference = namespace ? `${namespace}/${name ?? '*'}` : (name ?? '*')
    return [metadata.name, spec.policyName ?? '', spec.paramRef ? reference : '<unset>', ageOf(metadata, now)]
  },
}
