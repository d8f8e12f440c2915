// Starts the controllers that look after who may do what.
import { runAdmissionPolicyStatus } from '../controllers/admission-policy-status/admission-policy-status.ts'
import { runBootstrapSigner } from '../controllers/bootstrap-tokens/bootstrap-signer.ts'
import { runTokenCleaner } from '../controllers/bootstrap-tokens/token-cleaner.ts'
import { runCertificateApproving } from '../controllers/certificates/approving.ts'
import { runCertificateCleaning } from '../controllers/certificates/cleaning.ts'
import { runCertificateSigning } from '../controllers/certificates/signing.ts'
import { runClusterRoleAggregation } from '../controllers/cluster-role-aggregation/cluster-role-aggregation.ts'
import { runServiceAccountTokens } from '../controllers/service-account-token/service-account-token-controller.ts'
import type { RunningApiServer } from './api-server.ts'
import { type ClusterParts, keepRunning } from './parts.ts'

export function startSecurityControllers(api: RunningApiServer, parts: ClusterParts): void {
  const { clock, log } = parts
  const contextOf = (account: string) => ({ client: api.controllerClient(account), clock, log })
  keepRunning(parts, signal =>
    runClusterRoleAggregation(contextOf('clusterrole-aggregation-controller'), signal),
  )
  keepRunning(parts, signal =>
    runAdmissionPolicyStatus(contextOf('validatingadmissionpolicy-status-controller'), api.typesOf, signal),
  )
  const manager = api.clientOf(
    { name: 'system:kube-controller-manager', groups: [] },
    'kube-controller-manager',
  )
  const { authorityCertificate, issueLegacyToken: issue } = api
  keepRunning(parts, signal =>
    runServiceAccountTokens({ client: manager, clock, log, issue, authorityCertificate }, signal),
  )
  const certificates = contextOf('certificate-controller')
  const authority = { certificate: api.authorityCertificate, key: api.authorityKey }
  keepRunning(parts, signal => runCertificateSigning(certificates, authority, signal))
  keepRunning(parts, signal => runCertificateApproving(certificates, signal))
  keepRunning(parts, signal => runCertificateCleaning(certificates, signal))
  keepRunning(parts, signal => runBootstrapSigner(contextOf('bootstrap-signer'), signal))
  keepRunning(parts, signal => runTokenCleaner(contextOf('token-cleaner'), signal))
}
