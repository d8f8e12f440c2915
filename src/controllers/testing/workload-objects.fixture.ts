// Workloads and Pods for tests: a base and small edits.
import type { Draft } from '../../api/kube-object.ts'
import type {
  DaemonSet,
  DaemonSetSpec,
  Deployment,
  DeploymentSpec,
  ReplicaSet,
  StatefulSet,
  StatefulSetSpec,
} from '../../api/types/apps-v1.ts'
import type { Node, Pod, PodTemplateSpec } from '../../api/types/core-v1.ts'
import type { ObjectMeta } from '../../api/types/meta-v1.ts'

export const CREATED = '2026-01-01T00:00:00Z'

export const meta = (name: string, more: Partial<ObjectMeta> = {}): ObjectMeta => ({
  name,
  namespace: 'default',
  uid: `uid-${name}`,
  resourceVersion: '1',
  creationTimestamp: CREATED,
  generation: 1,
  ...more,
})

export const templateOf = (image: string, labels: Record<string, string> = { app: 'web' }): PodTemplateSpec =>
  ({
    metadata: { labels },
    spec: {
      containers: [
        {
          name: 'app',
          image,
          imagePullPolicy: 'IfNotPresent',
          resources: {},
          terminationMessagePath: '/dev/termination-log',
          terminationMessagePolicy: 'File',
        },
      ],
      dnsPolicy: 'ClusterFirst',
      restartPolicy: 'Always',
      schedulerName: 'default-scheduler',
      securityContext: {},
      terminationGracePeriodSeconds: 30,
    },
  }) as unknown as PodTemplateSpec

const selector = { matchLabels: { app: 'web' } }

export const deploymentDraft = (name: string, spec: Partial<DeploymentSpec> = {}): Draft<Deployment> => ({
  metadata: { name, namespace: 'default' },
  spec: { replicas: 3, selector, template: templateOf('web:1'), strategy: {}, ...spec },
})

export const deployment = (
  spec: Partial<DeploymentSpec> = {},
  status: Deployment['status'] = {},
  metadata: Partial<ObjectMeta> = {},
): Deployment => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: meta('web', metadata),
  spec: {
    replicas: 10,
    selector,
    template: templateOf('web:1'),
    strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: '25%', maxUnavailable: '25%' } },
    progressDeadlineSeconds: 600,
    revisionHistoryLimit: 10,
    ...spec,
  },
  status,
})

export const replicaSet = (
  name: string,
  replicas: number,
  available = replicas,
  more: Partial<ObjectMeta> = {},
  image = `web:${name}`,
): ReplicaSet => ({
  apiVersion: 'apps/v1',
  kind: 'ReplicaSet',
  metadata: meta(name, more),
  spec: { replicas, selector, template: templateOf(image) },
  status: { replicas, readyReplicas: available, availableReplicas: available, observedGeneration: 1 },
})

export const statefulSetDraft = (name: string, spec: Partial<StatefulSetSpec> = {}): Draft<StatefulSet> => ({
  metadata: { name, namespace: 'default' },
  spec: {
    replicas: 3,
    selector,
    serviceName: name,
    template: templateOf('web:1'),
    updateStrategy: {},
    ...spec,
  },
})

export const statefulSet = (
  spec: Partial<StatefulSetSpec> = {},
  status: Partial<StatefulSet['status']> = {},
  metadata: Partial<ObjectMeta> = {},
): StatefulSet => ({
  apiVersion: 'apps/v1',
  kind: 'StatefulSet',
  metadata: meta('web', metadata),
  spec: {
    replicas: 3,
    selector,
    serviceName: 'web',
    template: templateOf('web:1'),
    podManagementPolicy: 'OrderedReady',
    updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 0 } },
    revisionHistoryLimit: 10,
    ...spec,
  },
  status: { replicas: 0, availableReplicas: 0, ...status },
})

export const daemonSetDraft = (name: string, spec: Partial<DaemonSetSpec> = {}): Draft<DaemonSet> => ({
  metadata: { name, namespace: 'default' },
  spec: { selector, template: templateOf('web:1'), updateStrategy: {}, ...spec },
})

export const daemonSet = (
  spec: Partial<DaemonSetSpec> = {},
  metadata: Partial<ObjectMeta> = {},
): DaemonSet => ({
  apiVersion: 'apps/v1',
  kind: 'DaemonSet',
  metadata: meta('web', metadata),
  spec: {
    selector,
    template: templateOf('web:1'),
    updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 1, maxSurge: 0 } },
    ...spec,
  },
  status: { currentNumberScheduled: 0, numberMisscheduled: 0, desiredNumberScheduled: 0, numberReady: 0 },
})

export const node = (
  name: string,
  spec: Partial<Node['spec']> = {},
  labels: Record<string, string> = {},
): Node => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { ...meta(name, { labels }), namespace: '' },
  spec,
  status: { daemonEndpoints: {}, nodeInfo: {} } as Node['status'],
})

/** Running and ready since the beginning of 2026, unless told otherwise. */
export const pod = (
  name: string,
  edits: {
    metadata?: Partial<ObjectMeta>
    spec?: Partial<Pod['spec']>
    status?: Pod['status']
    ready?: boolean
  } = {},
): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: meta(name, { labels: { app: 'web' }, ...edits.metadata }),
  spec: { ...templateOf('web:1').spec, nodeName: 'node-1', ...edits.spec },
  status: edits.status ?? {
    phase: 'Running',
    conditions: [
      { type: 'Ready', status: edits.ready === false ? 'False' : 'True', lastTransitionTime: CREATED },
    ],
  },
})

export const deleted = { deletionTimestamp: '2026-01-01T00:00:30Z' }
