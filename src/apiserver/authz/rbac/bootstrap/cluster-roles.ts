// The ClusterRoles of every cluster, and who holds them. Facts of upstream's bootstrappolicy as v1.36 enables it.
import {
  account,
  aggregatedRole,
  clusterBinding,
  clusterRole,
  events,
  group,
  paths,
  READ,
  READ_WRITE,
  rule,
  user,
  WRITE,
} from './policy-notation.ts'

const PODS_IN_DEPTH = 'pods/attach pods/exec pods/portforward pods/proxy'

const aggregateToAdmin = [
  rule('create', 'authorization.k8s.io', 'localsubjectaccessreviews'),
  rule(READ_WRITE, 'rbac.authorization.k8s.io', 'rolebindings roles'),
]

const aggregateToEdit = [
  rule(READ, 'core', `${PODS_IN_DEPTH} secrets services/proxy`),
  rule('impersonate', 'core', 'serviceaccounts'),
  rule(WRITE, 'core', `pods ${PODS_IN_DEPTH}`),
  rule('create', 'core', 'pods/eviction'),
  rule(
    WRITE,
    'core',
    'configmaps events persistentvolumeclaims replicationcontrollers replicationcontrollers/scale secrets serviceaccounts services services/proxy',
  ),
  rule('create', 'core', 'serviceaccounts/token'),
  rule(
    WRITE,
    'apps',
    'daemonsets deployments deployments/rollback deployments/scale replicasets replicasets/scale statefulsets statefulsets/scale',
  ),
  rule(WRITE, 'autoscaling', 'horizontalpodautoscalers'),
  rule(WRITE, 'batch', 'cronjobs jobs'),
  rule(
    WRITE,
    'extensions',
    'daemonsets deployments deployments/rollback deployments/scale ingresses networkpolicies replicasets replicasets/scale replicationcontrollers/scale',
  ),
  rule(WRITE, 'policy', 'poddisruptionbudgets'),
  rule(WRITE, 'networking.k8s.io', 'ingresses networkpolicies'),
  rule(READ_WRITE, 'coordination.k8s.io', 'leases'),
  rule(WRITE, 'resource.k8s.io', 'resourceclaims resourceclaimtemplates'),
]

const aggregateToView = [
  rule(
    READ,
    'core',
    'configmaps endpoints persistentvolumeclaims persistentvolumeclaims/status pods replicationcontrollers replicationcontrollers/scale serviceaccounts services services/status',
  ),
  rule(
    READ,
    'core',
    'bindings events limitranges namespaces/status pods/log pods/status replicationcontrollers/status resourcequotas resourcequotas/status',
  ),
  rule(READ, 'core', 'namespaces'),
  rule(READ, 'discovery.k8s.io', 'endpointslices'),
  rule(
    READ,
    'apps',
    'controllerrevisions daemonsets daemonsets/status deployments deployments/scale deployments/status replicasets replicasets/scale replicasets/status statefulsets statefulsets/scale statefulsets/status',
  ),
  rule(READ, 'autoscaling', 'horizontalpodautoscalers horizontalpodautoscalers/status'),
  rule(READ, 'batch', 'cronjobs cronjobs/status jobs jobs/status'),
  rule(
    READ,
    'extensions',
    'daemonsets daemonsets/status deployments deployments/scale deployments/status ingresses ingresses/status networkpolicies replicasets replicasets/scale replicasets/status replicationcontrollers/scale',
  ),
  rule(READ, 'policy', 'poddisruptionbudgets poddisruptionbudgets/status'),
  rule(READ, 'networking.k8s.io', 'ingresses ingresses/status networkpolicies'),
  rule(READ, 'resource.k8s.io', 'resourceclaims resourceclaims/status resourceclaimtemplates'),
]

const TOKEN_REVIEW = rule('create', 'authentication.k8s.io', 'tokenreviews')
const ACCESS_REVIEW = rule('create', 'authorization.k8s.io', 'subjectaccessreviews')

const controllerManager = [
  events,
  rule('create', 'coordination.k8s.io', 'leases'),
  rule('get update', 'coordination.k8s.io', 'leases', 'kube-controller-manager'),
  rule('create', 'core', 'secrets serviceaccounts'),
  rule('delete', 'core', 'secrets'),
  rule('get', 'core', 'configmaps namespaces secrets serviceaccounts'),
  rule('update', 'core', 'secrets serviceaccounts'),
  TOKEN_REVIEW,
  ACCESS_REVIEW,
  rule('list watch', '*', '*'),
  rule('create', 'core', 'serviceaccounts/token'),
]

const scheduler = [
  events,
  rule('create', 'coordination.k8s.io', 'leases'),
  rule('get list update watch', 'coordination.k8s.io', 'leases', 'kube-scheduler'),
  rule(READ, 'core', 'nodes'),
  rule('delete get list watch', 'core', 'pods'),
  rule('create', 'core', 'bindings pods/binding'),
  rule('patch update', 'core', 'pods/status'),
  rule(READ, 'core', 'replicationcontrollers services'),
  rule(READ, 'apps extensions', 'replicasets'),
  rule(READ, 'apps', 'statefulsets'),
  rule(READ, 'policy', 'poddisruptionbudgets'),
  rule(READ, 'core', 'persistentvolumeclaims persistentvolumes'),
  TOKEN_REVIEW,
  ACCESS_REVIEW,
  rule(READ, 'storage.k8s.io', 'csinodes'),
  rule(READ, 'storage.k8s.io', 'volumeattachments'),
  rule(READ, 'core', 'namespaces'),
  rule(READ, 'storage.k8s.io', 'csidrivers'),
  rule(READ, 'storage.k8s.io', 'csistoragecapacities'),
  rule(READ, 'resource.k8s.io', 'deviceclasses'),
  rule(`${READ} patch update`, 'resource.k8s.io', 'resourceclaims'),
  rule(`${READ} patch update`, 'resource.k8s.io', 'resourceclaims/status'),
  rule(`${READ} patch update`, 'core', 'pods/finalizers'),
  rule('create delete', 'resource.k8s.io', 'resourceclaims'),
  rule(READ, 'resource.k8s.io', 'resourceslices'),
]

/** What the Node authorizer lets nodes do, before it looks at which objects are theirs. */
export const nodeRules = [
  TOKEN_REVIEW,
  rule('create', 'authorization.k8s.io', 'localsubjectaccessreviews subjectaccessreviews'),
  rule(READ, 'core', 'services'),
  rule('create get list watch', 'core', 'nodes'),
  rule('patch update', 'core', 'nodes/status'),
  rule('patch update', 'core', 'nodes'),
  rule('create patch update', 'core', 'events'),
  rule(READ, 'core', 'pods'),
  rule('create delete', 'core', 'pods'),
  rule('patch update', 'core', 'pods/status'),
  rule('create', 'core', 'pods/eviction'),
  rule(READ, 'core', 'configmaps secrets'),
  rule('get', 'core', 'persistentvolumeclaims persistentvolumes'),
  rule('get', 'core', 'endpoints'),
  rule('create get list watch', 'certificates.k8s.io', 'certificatesigningrequests'),
  rule('create delete get patch update', 'coordination.k8s.io', 'leases'),
  rule('get', 'storage.k8s.io', 'volumeattachments'),
  rule('create', 'core', 'serviceaccounts/token'),
  rule('get patch update', 'core', 'persistentvolumeclaims/status'),
  rule(READ, 'storage.k8s.io', 'csidrivers'),
  rule('create delete get patch update', 'storage.k8s.io', 'csinodes'),
  rule(READ, 'node.k8s.io', 'runtimeclasses'),
  rule('get', 'resource.k8s.io', 'resourceclaims'),
  rule('deletecollection', 'resource.k8s.io', 'resourceslices'),
  rule('get', 'core', 'serviceaccounts'),
]

const VERSION = '/version /version/'
const SIGNERS = {
  'kube-apiserver-client-approver': 'kube-apiserver-client',
  'kube-apiserver-client-kubelet-approver': 'kube-apiserver-client-kubelet',
  'kubelet-serving-approver': 'kubelet-serving',
  'legacy-unknown-approver': 'legacy-unknown',
}
const CSR = 'certificatesigningrequests'

export const clusterRoles = [
  clusterRole('cluster-admin', [rule('*', '*', '*'), paths('*', '*')]),
  clusterRole('system:discovery', [
    paths('get', `/api /api/* /apis /apis/* /healthz /livez /openapi /openapi/* /readyz ${VERSION}`),
  ]),
  clusterRole('system:monitoring', [
    paths('get', '/healthz /healthz/* /livez /livez/* /metrics /metrics/slis /readyz /readyz/*'),
  ]),
  clusterRole('system:basic-user', [
    rule('create', 'authorization.k8s.io', 'selfsubjectaccessreviews selfsubjectrulesreviews'),
    rule('create', 'authentication.k8s.io', 'selfsubjectreviews'),
  ]),
  clusterRole('system:public-info-viewer', [paths('get', `/healthz /livez /readyz ${VERSION}`)]),
  aggregatedRole('admin'),
  aggregatedRole('edit', 'admin'),
  aggregatedRole('view', 'edit'),
  clusterRole('system:aggregate-to-admin', aggregateToAdmin, 'admin'),
  clusterRole('system:aggregate-to-edit', aggregateToEdit, 'edit'),
  clusterRole('system:aggregate-to-view', aggregateToView, 'view'),
  clusterRole('system:heapster', [
    rule(READ, 'core', 'events namespaces nodes pods'),
    rule(READ, 'extensions', 'deployments'),
  ]),
  clusterRole('system:node', nodeRules),
  clusterRole('system:node-problem-detector', [
    rule('get', 'core', 'nodes'),
    rule('patch', 'core', 'nodes/status'),
    events,
  ]),
  clusterRole('system:kubelet-api-admin', [
    rule(READ, 'core', 'nodes'),
    rule('proxy', 'core', 'nodes'),
    rule('*', 'core', 'nodes/log nodes/metrics nodes/proxy nodes/stats'),
    rule('*', 'core', 'nodes/configz nodes/healthz nodes/pods'),
  ]),
  clusterRole('system:node-bootstrapper', [rule('create get list watch', 'certificates.k8s.io', CSR)]),
  clusterRole('system:auth-delegator', [TOKEN_REVIEW, ACCESS_REVIEW]),
  clusterRole('system:kube-aggregator', [rule(READ, 'core', 'endpoints services')]),
  clusterRole('system:kube-controller-manager', controllerManager),
  clusterRole('system:kube-dns', [rule('list watch', 'core', 'endpoints services')]),
  clusterRole('system:kube-scheduler', scheduler),
  clusterRole('system:persistent-volume-provisioner', [
    rule('create delete get list watch', 'core', 'persistentvolumes'),
    rule('get list update watch', 'core', 'persistentvolumeclaims'),
    rule(READ, 'storage.k8s.io', 'storageclasses'),
    rule('watch', 'core', 'events'),
    events,
  ]),
  clusterRole('system:volume-scheduler', [
    rule(`${READ} patch update`, 'core', 'persistentvolumes'),
    rule(READ, 'storage.k8s.io', 'storageclasses'),
    rule(`${READ} patch update`, 'core', 'persistentvolumeclaims'),
  ]),
  clusterRole('system:node-proxier', [
    rule('list watch', 'core', 'endpoints services'),
    rule(READ, 'core', 'nodes'),
    events,
    rule('list watch', 'networking.k8s.io', 'servicecidrs'),
    rule('list watch', 'discovery.k8s.io', 'endpointslices'),
  ]),
  clusterRole('system:service-account-issuer-discovery', [
    paths(
      'get',
      '/.well-known/openid-configuration /.well-known/openid-configuration/ /openid/v1/jwks /openid/v1/jwks/',
    ),
  ]),
  clusterRole('system:certificates.k8s.io:certificatesigningrequests:nodeclient', [
    rule('create', 'certificates.k8s.io', `${CSR}/nodeclient`),
  ]),
  clusterRole('system:certificates.k8s.io:certificatesigningrequests:selfnodeclient', [
    rule('create', 'certificates.k8s.io', `${CSR}/selfnodeclient`),
  ]),
  ...Object.entries(SIGNERS).map(([name, signer]) =>
    clusterRole(`system:certificates.k8s.io:${name}`, [
      rule('approve', 'certificates.k8s.io', 'signers', `kubernetes.io/${signer}`),
    ]),
  ),
]

export const clusterRoleBindings = [
  clusterBinding('cluster-admin', group('system:masters')),
  clusterBinding('system:monitoring', group('system:monitoring')),
  clusterBinding('system:discovery', group('system:authenticated')),
  clusterBinding('system:basic-user', group('system:authenticated')),
  clusterBinding('system:public-info-viewer', group('system:authenticated'), group('system:unauthenticated')),
  clusterBinding('system:node-proxier', user('system:kube-proxy')),
  clusterBinding('system:kube-controller-manager', user('system:kube-controller-manager')),
  clusterBinding('system:kube-dns', account('kube-dns')),
  clusterBinding('system:kube-scheduler', user('system:kube-scheduler')),
  clusterBinding('system:volume-scheduler', user('system:kube-scheduler')),
  clusterBinding('system:service-account-issuer-discovery', group('system:serviceaccounts')),
  // Held by nobody: the Node authorizer looks after nodes. Kept because tools look for it.
  clusterBinding('system:node'),
]
