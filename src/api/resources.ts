// Every built-in resource as a typed constant, and all of them as a table for registry and discovery.
// Facts (short names, verbs, subresources, order) are those that a v1.36 server's discovery shows.
import type { KubeObject, Resource } from './kube-object.ts'
import type * as admissionregistration from './types/admissionregistration-v1.ts'
import type * as apiextensions from './types/apiextensions-v1.ts'
import type * as apps from './types/apps-v1.ts'
import type * as authentication from './types/authentication-v1.ts'
import type * as authorization from './types/authorization-v1.ts'
import type * as autoscalingV1 from './types/autoscaling-v1.ts'
import type * as autoscalingV2 from './types/autoscaling-v2.ts'
import type * as batch from './types/batch-v1.ts'
import type * as certificates from './types/certificates-v1.ts'
import type * as coordination from './types/coordination-v1.ts'
import type * as core from './types/core-v1.ts'
import type * as discovery from './types/discovery-v1.ts'
import type * as eventsApi from './types/events-v1.ts'
import type * as flowcontrol from './types/flowcontrol-v1.ts'
import type * as networking from './types/networking-v1.ts'
import type * as node from './types/node-v1.ts'
import type * as policy from './types/policy-v1.ts'
import type * as rbac from './types/rbac-v1.ts'
import type * as dra from './types/resource-v1.ts'
import type * as scheduling from './types/scheduling-v1.ts'
import type * as storage from './types/storage-v1.ts'

/** Names as in discovery, sorted. */
export type DiscoveryVerb =
  | 'create'
  | 'delete'
  | 'deletecollection'
  | 'get'
  | 'list'
  | 'patch'
  | 'update'
  | 'watch'

export interface SubresourceInfo {
  /** 'status', 'log', 'scale'. */
  name: string
  /** Kind of its body, with the group version where that differs from the resource's own. */
  kind: string
  group?: string
  version?: string
  verbs: readonly DiscoveryVerb[]
}

export interface ResourceInfo<T = KubeObject> extends Resource<T> {
  singular: string
  shortNames: readonly string[]
  categories: readonly string[]
  verbs: readonly DiscoveryVerb[]
  subresources: readonly SubresourceInfo[]
}

interface Facts {
  /** Default: namespaced. */
  cluster?: true
  short?: string[]
  categories?: string[]
  verbs?: readonly DiscoveryVerb[]
  subresources?: SubresourceInfo[]
}

const all: readonly DiscoveryVerb[] = [
  'create',
  'delete',
  'deletecollection',
  'get',
  'list',
  'patch',
  'update',
  'watch',
]
const readWrite: readonly DiscoveryVerb[] = ['get', 'patch', 'update']
const createOnly: readonly DiscoveryVerb[] = ['create']
const connect: readonly DiscoveryVerb[] = ['create', 'get']
const proxyVerbs: readonly DiscoveryVerb[] = ['create', 'delete', 'get', 'patch', 'update']

const table: ResourceInfo[] = []

/** Every built-in resource; groups in the order of `apiGroups`, resources sorted by name within a version. */
export const builtinResources: readonly ResourceInfo[] = table

function define<T>(
  group: string,
  version: string,
  resource: string,
  kind: string,
  facts: Facts = {},
): ResourceInfo<T> {
  const info: ResourceInfo<T> = {
    group,
    version,
    resource,
    kind,
    namespaced: !facts.cluster,
    singular: kind.toLowerCase(),
    shortNames: facts.short ?? [],
    categories: facts.categories ?? [],
    verbs: facts.verbs ?? all,
    subresources: facts.subresources ?? [],
  }
  table.push(info as ResourceInfo)
  return info
}

const sub = (
  name: string,
  kind: string,
  verbs: readonly DiscoveryVerb[] = readWrite,
  group?: string,
  version?: string,
): SubresourceInfo => ({ name, kind, verbs, ...(group !== undefined && { group, version }) })
const status = (kind: string) => sub('status', kind)
const scale = () => sub('scale', 'Scale', readWrite, 'autoscaling', 'v1')

// core/v1
export const bindings = define<core.Binding>('', 'v1', 'bindings', 'Binding', { verbs: createOnly })
export const componentStatuses = define<core.ComponentStatus>(
  '',
  'v1',
  'componentstatuses',
  'ComponentStatus',
  {
    cluster: true,
    short: ['cs'],
    verbs: ['get', 'list'],
  },
)
export const configMaps = define<core.ConfigMap>('', 'v1', 'configmaps', 'ConfigMap', { short: ['cm'] })
export const endpoints = define<core.Endpoints>('', 'v1', 'endpoints', 'Endpoints', { short: ['ep'] })
export const events = define<core.Event>('', 'v1', 'events', 'Event', { short: ['ev'] })
export const limitRanges = define<core.LimitRange>('', 'v1', 'limitranges', 'LimitRange', {
  short: ['limits'],
})
export const namespaces = define<core.Namespace>('', 'v1', 'namespaces', 'Namespace', {
  cluster: true,
  short: ['ns'],
  verbs: ['create', 'delete', 'get', 'list', 'patch', 'update', 'watch'],
  subresources: [sub('finalize', 'Namespace', ['update']), status('Namespace')],
})
export const nodes = define<core.Node>('', 'v1', 'nodes', 'Node', {
  cluster: true,
  short: ['no'],
  subresources: [sub('proxy', 'NodeProxyOptions', proxyVerbs), status('Node')],
})
export const persistentVolumeClaims = define<core.PersistentVolumeClaim>(
  '',
  'v1',
  'persistentvolumeclaims',
  'PersistentVolumeClaim',
  { short: ['pvc'], subresources: [status('PersistentVolumeClaim')] },
)
export const persistentVolumes = define<core.PersistentVolume>(
  '',
  'v1',
  'persistentvolumes',
  'PersistentVolume',
  {
    cluster: true,
    short: ['pv'],
    subresources: [status('PersistentVolume')],
  },
)
export const pods = define<core.Pod>('', 'v1', 'pods', 'Pod', {
  short: ['po'],
  categories: ['all'],
  subresources: [
    sub('attach', 'PodAttachOptions', connect),
    sub('binding', 'Binding', createOnly),
    sub('ephemeralcontainers', 'Pod'),
    sub('eviction', 'Eviction', createOnly, 'policy', 'v1'),
    sub('exec', 'PodExecOptions', connect),
    sub('log', 'Pod', ['get']),
    sub('portforward', 'PodPortForwardOptions', connect),
    sub('proxy', 'PodProxyOptions', proxyVerbs),
    sub('resize', 'Pod'),
    status('Pod'),
  ],
})
export const podTemplates = define<core.PodTemplate>('', 'v1', 'podtemplates', 'PodTemplate')
export const replicationControllers = define<core.ReplicationController>(
  '',
  'v1',
  'replicationcontrollers',
  'ReplicationController',
  { short: ['rc'], categories: ['all'], subresources: [scale(), status('ReplicationController')] },
)
export const resourceQuotas = define<core.ResourceQuota>('', 'v1', 'resourcequotas', 'ResourceQuota', {
  short: ['quota'],
  subresources: [status('ResourceQuota')],
})
export const secrets = define<core.Secret>('', 'v1', 'secrets', 'Secret')
export const serviceAccounts = define<core.ServiceAccount>('', 'v1', 'serviceaccounts', 'ServiceAccount', {
  short: ['sa'],
  subresources: [sub('token', 'TokenRequest', createOnly, 'authentication.k8s.io', 'v1')],
})
export const services = define<core.Service>('', 'v1', 'services', 'Service', {
  short: ['svc'],
  categories: ['all'],
  subresources: [sub('proxy', 'ServiceProxyOptions', proxyVerbs), status('Service')],
})

// apps/v1
export const controllerRevisions = define<apps.ControllerRevision>(
  'apps',
  'v1',
  'controllerrevisions',
  'ControllerRevision',
)
export const daemonSets = define<apps.DaemonSet>('apps', 'v1', 'daemonsets', 'DaemonSet', {
  short: ['ds'],
  categories: ['all'],
  subresources: [status('DaemonSet')],
})
export const deployments = define<apps.Deployment>('apps', 'v1', 'deployments', 'Deployment', {
  short: ['deploy'],
  categories: ['all'],
  subresources: [scale(), status('Deployment')],
})
export const replicaSets = define<apps.ReplicaSet>('apps', 'v1', 'replicasets', 'ReplicaSet', {
  short: ['rs'],
  categories: ['all'],
  subresources: [scale(), status('ReplicaSet')],
})
export const statefulSets = define<apps.StatefulSet>('apps', 'v1', 'statefulsets', 'StatefulSet', {
  short: ['sts'],
  categories: ['all'],
  subresources: [scale(), status('StatefulSet')],
})

// events.k8s.io/v1
export const eventsV1 = define<eventsApi.Event>('events.k8s.io', 'v1', 'events', 'Event', { short: ['ev'] })

// authentication.k8s.io/v1, authorization.k8s.io/v1: asked, never stored
export const selfSubjectReviews = define<authentication.SelfSubjectReview>(
  'authentication.k8s.io',
  'v1',
  'selfsubjectreviews',
  'SelfSubjectReview',
  { cluster: true, verbs: createOnly },
)
export const tokenReviews = define<authentication.TokenReview>(
  'authentication.k8s.io',
  'v1',
  'tokenreviews',
  'TokenReview',
  { cluster: true, verbs: createOnly },
)
export const localSubjectAccessReviews = define<authorization.LocalSubjectAccessReview>(
  'authorization.k8s.io',
  'v1',
  'localsubjectaccessreviews',
  'LocalSubjectAccessReview',
  { verbs: createOnly },
)
export const selfSubjectAccessReviews = define<authorization.SelfSubjectAccessReview>(
  'authorization.k8s.io',
  'v1',
  'selfsubjectaccessreviews',
  'SelfSubjectAccessReview',
  { cluster: true, verbs: createOnly },
)
export const selfSubjectRulesReviews = define<authorization.SelfSubjectRulesReview>(
  'authorization.k8s.io',
  'v1',
  'selfsubjectrulesreviews',
  'SelfSubjectRulesReview',
  { cluster: true, verbs: createOnly },
)
export const subjectAccessReviews = define<authorization.SubjectAccessReview>(
  'authorization.k8s.io',
  'v1',
  'subjectaccessreviews',
  'SubjectAccessReview',
  { cluster: true, verbs: createOnly },
)

// autoscaling/v2, v1
const autoscaler: Facts = {
  short: ['hpa'],
  categories: ['all'],
  subresources: [status('HorizontalPodAutoscaler')],
}
export const horizontalPodAutoscalers = define<autoscalingV2.HorizontalPodAutoscaler>(
  'autoscaling',
  'v2',
  'horizontalpodautoscalers',
  'HorizontalPodAutoscaler',
  autoscaler,
)
export const horizontalPodAutoscalersV1 = define<autoscalingV1.HorizontalPodAutoscaler>(
  'autoscaling',
  'v1',
  'horizontalpodautoscalers',
  'HorizontalPodAutoscaler',
  autoscaler,
)

// batch/v1
export const cronJobs = define<batch.CronJob>('batch', 'v1', 'cronjobs', 'CronJob', {
  short: ['cj'],
  categories: ['all'],
  subresources: [status('CronJob')],
})
export const jobs = define<batch.Job>('batch', 'v1', 'jobs', 'Job', {
  categories: ['all'],
  subresources: [status('Job')],
})

// certificates.k8s.io/v1
export const certificateSigningRequests = define<certificates.CertificateSigningRequest>(
  'certificates.k8s.io',
  'v1',
  'certificatesigningrequests',
  'CertificateSigningRequest',
  {
    cluster: true,
    short: ['csr'],
    subresources: [sub('approval', 'CertificateSigningRequest'), status('CertificateSigningRequest')],
  },
)

// networking.k8s.io/v1
export const ingressClasses = define<networking.IngressClass>(
  'networking.k8s.io',
  'v1',
  'ingressclasses',
  'IngressClass',
  { cluster: true },
)
export const ingresses = define<networking.Ingress>('networking.k8s.io', 'v1', 'ingresses', 'Ingress', {
  short: ['ing'],
  subresources: [status('Ingress')],
})
export const ipAddresses = define<networking.IPAddress>(
  'networking.k8s.io',
  'v1',
  'ipaddresses',
  'IPAddress',
  {
    cluster: true,
    short: ['ip'],
  },
)
export const networkPolicies = define<networking.NetworkPolicy>(
  'networking.k8s.io',
  'v1',
  'networkpolicies',
  'NetworkPolicy',
  { short: ['netpol'] },
)
export const serviceCIDRs = define<networking.ServiceCIDR>(
  'networking.k8s.io',
  'v1',
  'servicecidrs',
  'ServiceCIDR',
  {
    cluster: true,
    subresources: [status('ServiceCIDR')],
  },
)

// policy/v1
export const podDisruptionBudgets = define<policy.PodDisruptionBudget>(
  'policy',
  'v1',
  'poddisruptionbudgets',
  'PodDisruptionBudget',
  { short: ['pdb'], subresources: [status('PodDisruptionBudget')] },
)

// rbac.authorization.k8s.io/v1
const rbacGroup = 'rbac.authorization.k8s.io'
export const clusterRoleBindings = define<rbac.ClusterRoleBinding>(
  rbacGroup,
  'v1',
  'clusterrolebindings',
  'ClusterRoleBinding',
  { cluster: true },
)
export const clusterRoles = define<rbac.ClusterRole>(rbacGroup, 'v1', 'clusterroles', 'ClusterRole', {
  cluster: true,
})
export const roleBindings = define<rbac.RoleBinding>(rbacGroup, 'v1', 'rolebindings', 'RoleBinding')
export const roles = define<rbac.Role>(rbacGroup, 'v1', 'roles', 'Role')

// storage.k8s.io/v1
export const csiDrivers = define<storage.CSIDriver>('storage.k8s.io', 'v1', 'csidrivers', 'CSIDriver', {
  cluster: true,
})
export const csiNodes = define<storage.CSINode>('storage.k8s.io', 'v1', 'csinodes', 'CSINode', {
  cluster: true,
})
export const csiStorageCapacities = define<storage.CSIStorageCapacity>(
  'storage.k8s.io',
  'v1',
  'csistoragecapacities',
  'CSIStorageCapacity',
)
export const storageClasses = define<storage.StorageClass>(
  'storage.k8s.io',
  'v1',
  'storageclasses',
  'StorageClass',
  {
    cluster: true,
    short: ['sc'],
  },
)
export const volumeAttachments = define<storage.VolumeAttachment>(
  'storage.k8s.io',
  'v1',
  'volumeattachments',
  'VolumeAttachment',
  { cluster: true, subresources: [status('VolumeAttachment')] },
)
export const volumeAttributesClasses = define<storage.VolumeAttributesClass>(
  'storage.k8s.io',
  'v1',
  'volumeattributesclasses',
  'VolumeAttributesClass',
  { cluster: true, short: ['vac'] },
)

// admissionregistration.k8s.io/v1
const admissionGroup = 'admissionregistration.k8s.io'
const extension: Facts = { cluster: true, categories: ['api-extensions'] }
export const mutatingAdmissionPolicies = define<admissionregistration.MutatingAdmissionPolicy>(
  admissionGroup,
  'v1',
  'mutatingadmissionpolicies',
  'MutatingAdmissionPolicy',
  extension,
)
export const mutatingAdmissionPolicyBindings = define<admissionregistration.MutatingAdmissionPolicyBinding>(
  admissionGroup,
  'v1',
  'mutatingadmissionpolicybindings',
  'MutatingAdmissionPolicyBinding',
  extension,
)
export const mutatingWebhookConfigurations = define<admissionregistration.MutatingWebhookConfiguration>(
  admissionGroup,
  'v1',
  'mutatingwebhookconfigurations',
  'MutatingWebhookConfiguration',
  extension,
)
export const validatingAdmissionPolicies = define<admissionregistration.ValidatingAdmissionPolicy>(
  admissionGroup,
  'v1',
  'validatingadmissionpolicies',
  'ValidatingAdmissionPolicy',
  { ...extension, subresources: [status('ValidatingAdmissionPolicy')] },
)
export const validatingAdmissionPolicyBindings =
  define<admissionregistration.ValidatingAdmissionPolicyBinding>(
    admissionGroup,
    'v1',
    'validatingadmissionpolicybindings',
    'ValidatingAdmissionPolicyBinding',
    extension,
  )
export const validatingWebhookConfigurations = define<admissionregistration.ValidatingWebhookConfiguration>(
  admissionGroup,
  'v1',
  'validatingwebhookconfigurations',
  'ValidatingWebhookConfiguration',
  extension,
)

// apiextensions.k8s.io/v1
export const customResourceDefinitions = define<apiextensions.CustomResourceDefinition>(
  'apiextensions.k8s.io',
  'v1',
  'customresourcedefinitions',
  'CustomResourceDefinition',
  { ...extension, short: ['crd', 'crds'], subresources: [status('CustomResourceDefinition')] },
)

// scheduling.k8s.io/v1, coordination.k8s.io/v1, node.k8s.io/v1, discovery.k8s.io/v1
export const priorityClasses = define<scheduling.PriorityClass>(
  'scheduling.k8s.io',
  'v1',
  'priorityclasses',
  'PriorityClass',
  { cluster: true, short: ['pc'] },
)
export const leases = define<coordination.Lease>('coordination.k8s.io', 'v1', 'leases', 'Lease')
export const runtimeClasses = define<node.RuntimeClass>(
  'node.k8s.io',
  'v1',
  'runtimeclasses',
  'RuntimeClass',
  {
    cluster: true,
  },
)
export const endpointSlices = define<discovery.EndpointSlice>(
  'discovery.k8s.io',
  'v1',
  'endpointslices',
  'EndpointSlice',
)

// flowcontrol.apiserver.k8s.io/v1
export const flowSchemas = define<flowcontrol.FlowSchema>(
  'flowcontrol.apiserver.k8s.io',
  'v1',
  'flowschemas',
  'FlowSchema',
  { cluster: true, subresources: [status('FlowSchema')] },
)
export const priorityLevelConfigurations = define<flowcontrol.PriorityLevelConfiguration>(
  'flowcontrol.apiserver.k8s.io',
  'v1',
  'prioritylevelconfigurations',
  'PriorityLevelConfiguration',
  { cluster: true, subresources: [status('PriorityLevelConfiguration')] },
)

// resource.k8s.io/v1
export const deviceClasses = define<dra.DeviceClass>(
  'resource.k8s.io',
  'v1',
  'deviceclasses',
  'DeviceClass',
  {
    cluster: true,
  },
)
export const resourceClaims = define<dra.ResourceClaim>(
  'resource.k8s.io',
  'v1',
  'resourceclaims',
  'ResourceClaim',
  {
    subresources: [status('ResourceClaim')],
  },
)
export const resourceClaimTemplates = define<dra.ResourceClaimTemplate>(
  'resource.k8s.io',
  'v1',
  'resourceclaimtemplates',
  'ResourceClaimTemplate',
)
export const resourceSlices = define<dra.ResourceSlice>(
  'resource.k8s.io',
  'v1',
  'resourceslices',
  'ResourceSlice',
  {
    cluster: true,
  },
)

export interface ApiGroup {
  group: string
  /** Preferred one first. */
  versions: string[]
}

/** Named groups as /apis lists them: by the aggregator's priorities. The core group is not among them. */
export const apiGroups: readonly ApiGroup[] = [...new Set(table.map(info => info.group))]
  .filter(group => group !== '')
  .map(group => ({
    group,
    versions: [...new Set(table.filter(info => info.group === group).map(info => info.version))],
  }))

const byPath = new Map(table.map(info => [`${info.group}/${info.version}/${info.resource}`, info]))
const byKind = new Map(table.map(info => [`${info.group}/${info.version}/${info.kind}`, info]))

export function findResource(group: string, version: string, resource: string): ResourceInfo | undefined {
  return byPath.get(`${group}/${version}/${resource}`)
}

/** 'apps/v1' or 'v1', and the kind. */
export function findResourceOfKind(apiVersion: string, kind: string): ResourceInfo | undefined {
  return byKind.get(`${apiVersion.includes('/') ? apiVersion : `/${apiVersion}`}/${kind}`)
}

/** The apiVersion that objects of a resource carry. */
export function apiVersionOf({ group, version }: { group: string; version: string }): string {
  return group ? `${group}/${version}` : version
}
