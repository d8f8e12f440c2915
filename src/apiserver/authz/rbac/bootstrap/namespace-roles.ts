// Roles and bindings inside the system's namespaces. Facts of upstream's bootstrappolicy/namespace_policy.go.
import { account, binding, events, READ, role, rule, user } from './policy-notation.ts'

const SYSTEM = 'kube-system'
const PUBLIC = 'kube-public'
const CONTROLLER_MANAGER = 'system::leader-locking-kube-controller-manager'
const SCHEDULER = 'system::leader-locking-kube-scheduler'
const READER = 'extension-apiserver-authentication-reader'
const SIGNER = 'system:controller:bootstrap-signer'
const CLOUD = 'system:controller:cloud-provider'
const CLEANER = 'system:controller:token-cleaner'

export const namespaceRoles = [
  role(SYSTEM, READER, [rule(READ, 'core', 'configmaps', 'extension-apiserver-authentication')]),
  role(SYSTEM, SIGNER, [rule(READ, 'core', 'secrets')]),
  role(SYSTEM, CLOUD, [rule(`${READ} create`, 'core', 'configmaps')]),
  role(SYSTEM, CLEANER, [rule(`${READ} delete`, 'core', 'secrets'), events]),
  role(SYSTEM, CONTROLLER_MANAGER, [
    rule('watch', 'core', 'configmaps'),
    rule('get update', 'core', 'configmaps', 'kube-controller-manager'),
    rule(`${READ} create update`, 'coordination.k8s.io', 'leases'),
  ]),
  role(SYSTEM, SCHEDULER, [
    rule('watch', 'core', 'configmaps'),
    rule('get update', 'core', 'configmaps', 'kube-scheduler'),
  ]),
  role(PUBLIC, SIGNER, [
    rule(READ, 'core', 'configmaps'),
    rule('update', 'core', 'configmaps', 'cluster-info'),
    events,
  ]),
]

export const namespaceRoleBindings = [
  binding(
    SYSTEM,
    `system::${READER}`,
    READER,
    user('system:kube-controller-manager'),
    user('system:kube-scheduler'),
  ),
  binding(
    SYSTEM,
    CONTROLLER_MANAGER,
    CONTROLLER_MANAGER,
    user('system:kube-controller-manager'),
    account('kube-controller-manager'),
    account('leader-election-controller'),
  ),
  binding(SYSTEM, SCHEDULER, SCHEDULER, user('system:kube-scheduler'), account('kube-scheduler')),
  binding(SYSTEM, SIGNER, SIGNER, account('bootstrap-signer')),
  binding(SYSTEM, CLOUD, CLOUD, account('cloud-provider')),
  binding(SYSTEM, CLEANER, CLEANER, account('token-cleaner')),
  binding(PUBLIC, SIGNER, SIGNER, account('bootstrap-signer')),
]
