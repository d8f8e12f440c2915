// Fills in what an author left out, as upstream's SetDefaults_ functions do. Works in place on an unfrozen object.
import type { KubeObject } from '../kube-object.ts'
import type {
  Endpoints,
  LimitRange,
  Namespace,
  PersistentVolume,
  PersistentVolumeClaim,
  Pod,
  PodTemplateSpec,
  ReplicationController,
  Secret,
  Service,
} from '../types/core-v1.ts'
import type { IngressClass } from '../types/networking-v1.ts'
import type { ResourceClaim, ResourceClaimTemplate } from '../types/resource-v1.ts'
import {
  defaultMutatingConfiguration,
  defaultPolicy,
  defaultPolicyBinding,
  defaultValidatingConfiguration,
} from './admission-registration.ts'
import { defaultDaemonSet, defaultDeployment, defaultReplicaSet, defaultStatefulSet } from './apps.ts'
import { defaultAutoscaler } from './autoscaling.ts'
import { defaultCronJob, defaultJob } from './batch.ts'
import { defaultDevices } from './device-claims.ts'
import { defaultFlowSchema, defaultPriorityLevel } from './flow-control.ts'
import { defaultDefinition, defaultDriver, defaultNetworkPolicy, defaultRoleBinding } from './others.ts'
import { defaultPod, defaultPodSpec } from './pod-spec.ts'

type Defaulter = (object: never) => void

/** 'group/Kind' → its defaults. Kinds that have none are left out. */
const defaulters: Record<string, Defaulter> = {
  '/Pod': (pod: Pod) => {
    defaultPodSpec(pod.spec)
    defaultPod(pod.spec)
    pod.status.phase ||= 'Pending'
  },
  '/PodTemplate': ({ template }: { template: PodTemplateSpec }) => defaultPodSpec(template.spec),
  '/ReplicationController': (controller: ReplicationController) => {
    const { spec } = controller
    spec.replicas ??= 1
    if (spec.template) {
      defaultPodSpec(spec.template.spec)
      const labels = spec.template.metadata.labels
      if (labels && !spec.selector) spec.selector = { ...labels }
      if (labels && !controller.metadata.labels) controller.metadata.labels = { ...labels }
    }
  },
  '/Service': defaultService,
  '/Secret': (secret: Secret) => {
    secret.type ||= 'Opaque'
    takeInStringData(secret)
  },
  '/Namespace': (namespace: Namespace) => {
    namespace.status.phase ||= 'Active'
    if (namespace.metadata.name) {
      namespace.metadata.labels = {
        ...namespace.metadata.labels,
        'kubernetes.io/metadata.name': namespace.metadata.name,
      }
    }
  },
  '/PersistentVolumeClaim': (claim: PersistentVolumeClaim) => {
    claim.spec.volumeMode ??= 'Filesystem'
    claim.status.phase ||= 'Pending'
  },
  '/PersistentVolume': (volume: PersistentVolume) => {
    volume.status.phase ||= 'Pending'
    volume.spec.persistentVolumeReclaimPolicy ||= 'Retain'
    volume.spec.volumeMode ??= 'Filesystem'
    if (volume.spec.hostPath) volume.spec.hostPath.type ??= ''
  },
  '/Endpoints': ({ subsets }: Endpoints) => {
    for (const port of (subsets ?? []).flatMap(subset => subset.ports ?? [])) port.protocol ||= 'TCP'
  },
  '/LimitRange': defaultLimitRange,
  'apps/Deployment': defaultDeployment,
  'apps/ReplicaSet': defaultReplicaSet,
  'apps/StatefulSet': defaultStatefulSet,
  'apps/DaemonSet': defaultDaemonSet,
  'batch/Job': defaultJob,
  'batch/CronJob': defaultCronJob,
  'autoscaling/HorizontalPodAutoscaler': defaultAutoscaler,
  'networking.k8s.io/NetworkPolicy': defaultNetworkPolicy,
  'networking.k8s.io/IngressClass': ({ spec }: IngressClass) => {
    if (spec?.parameters) spec.parameters.scope ??= 'Cluster'
  },
  'storage.k8s.io/CSIDriver': defaultDriver,
  'rbac.authorization.k8s.io/RoleBinding': defaultRoleBinding,
  'rbac.authorization.k8s.io/ClusterRoleBinding': defaultRoleBinding,
  'scheduling.k8s.io/PriorityClass': (priority: { preemptionPolicy?: string }) => {
    priority.preemptionPolicy ??= 'PreemptLowerPriority'
  },
  'admissionregistration.k8s.io/MutatingWebhookConfiguration': defaultMutatingConfiguration,
  'admissionregistration.k8s.io/ValidatingWebhookConfiguration': defaultValidatingConfiguration,
  'flowcontrol.apiserver.k8s.io/FlowSchema': defaultFlowSchema,
  'flowcontrol.apiserver.k8s.io/PriorityLevelConfiguration': defaultPriorityLevel,
  'admissionregistration.k8s.io/MutatingAdmissionPolicy': defaultPolicy,
  'admissionregistration.k8s.io/MutatingAdmissionPolicyBinding': defaultPolicyBinding,
  'admissionregistration.k8s.io/ValidatingAdmissionPolicy': defaultPolicy,
  'admissionregistration.k8s.io/ValidatingAdmissionPolicyBinding': defaultPolicyBinding,
  'apiextensions.k8s.io/CustomResourceDefinition': defaultDefinition,
  'resource.k8s.io/ResourceClaim': ({ spec }: ResourceClaim) => defaultDevices(spec.devices),
  'resource.k8s.io/ResourceClaimTemplate': ({ spec }: ResourceClaimTemplate) =>
    defaultDevices(spec.spec.devices),
  'storage.k8s.io/StorageClass': (storage: { reclaimPolicy?: string; volumeBindingMode?: string }) => {
    storage.reclaimPolicy ??= 'Delete'
    storage.volumeBindingMode ??= 'Immediate'
  },
  'discovery.k8s.io/EndpointSlice': ({ ports }: { ports?: { name?: string; protocol?: string }[] }) => {
    for (const port of ports ?? []) {
      port.name ??= ''
      port.protocol ??= 'TCP'
    }
  },
}

export function applyDefaults(object: KubeObject): void {
  const slash = object.apiVersion.indexOf('/')
  const group = slash < 0 ? '' : object.apiVersion.slice(0, slash)
  defaulters[`${group}/${object.kind}`]?.(object as never)
}

function defaultService({ spec, status }: Service): void {
  spec.sessionAffinity ||= 'None'
  if (spec.sessionAffinity === 'None') delete spec.sessionAffinityConfig
  if (spec.sessionAffinity === 'ClientIP') {
    spec.sessionAffinityConfig ??= {}
    spec.sessionAffinityConfig.clientIP ??= {}
    spec.sessionAffinityConfig.clientIP.timeoutSeconds ??= 10_800
  }
  spec.type ||= 'ClusterIP'
  for (const port of spec.ports ?? []) {
    port.protocol ||= 'TCP'
    if (port.targetPort === undefined || port.targetPort === 0 || port.targetPort === '')
      port.targetPort = port.port
  }
  const external = spec.type === 'NodePort' || spec.type === 'LoadBalancer'
  if (external || (spec.type === 'ClusterIP' && (spec.externalIPs?.length ?? 0) > 0))
    spec.externalTrafficPolicy ||= 'Cluster'
  if (spec.type !== 'ExternalName') spec.internalTrafficPolicy ??= 'Cluster'
  if (spec.type !== 'LoadBalancer') return
  spec.allocateLoadBalancerNodePorts ??= true
  for (const ingress of status?.loadBalancer?.ingress ?? []) if (ingress.ip) ingress.ipMode ??= 'VIP'
}

/** Upstream: SetDefaults_LimitRangeItem. */
function defaultLimitRange({ spec }: LimitRange): void {
  for (const item of spec.limits ?? []) {
    if (item.type !== 'Container') continue
    // The default limit is the maximum; the default request is the default limit, else the minimum.
    item.default = { ...item.max, ...item.default }
    item.defaultRequest = { ...item.min, ...item.default, ...item.defaultRequest }
  }
}

/** What clients write as text is kept as bytes. Upstream: Convert_v1_Secret_To_core_Secret. */
function takeInStringData(secret: Secret): void {
  const { stringData } = secret
  if (!stringData) return
  secret.data = { ...secret.data }
  for (const [key, text] of Object.entries(stringData))
    secret.data[key] = Buffer.from(text).toString('base64')
  delete secret.stringData
}
