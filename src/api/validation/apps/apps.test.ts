// Texts as upstream's API server gives them for the apps kinds.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { KubeObject } from '../../kube-object.ts'
import { validateCreate, validateUpdate } from '../validation.ts'

const template = (labels: object = { app: 'web' }, spec: object = {}) => ({
  metadata: { labels },
  spec: {
    containers: [
      {
        name: 'app',
        image: 'web',
        imagePullPolicy: 'Always',
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
    ...spec,
  },
})

const selector = { matchLabels: { app: 'web' } }
const rolling = { type: 'RollingUpdate', rollingUpdate: { maxSurge: '25%', maxUnavailable: '25%' } }

const BASES: Record<string, object> = {
  Deployment: {
    replicas: 1,
    selector,
    template: template(),
    strategy: rolling,
    progressDeadlineSeconds: 600,
  },
  ReplicaSet: { replicas: 1, selector, template: template() },
  DaemonSet: {
    selector,
    template: template(),
    updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 1, maxSurge: 0 } },
  },
  StatefulSet: {
    replicas: 1,
    selector,
    template: template(),
    serviceName: 'web',
    podManagementPolicy: 'OrderedReady',
    updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 0 } },
  },
  ReplicationController: { replicas: 1, selector: { app: 'web' }, template: template() },
}

function object(kind: string, spec: object = {}, status: object = {}): KubeObject {
  return {
    apiVersion: kind === 'ReplicationController' ? 'v1' : 'apps/v1',
    kind,
    metadata: { name: 'web', namespace: 'default', uid: 'u', resourceVersion: '1', creationTimestamp: 't' },
    spec: { ...BASES[kind], ...spec },
    status,
  } as unknown as KubeObject
}

const shown = (errors: readonly { field: string; message: string }[]) =>
  errors.map(({ field, message }) => `${field}: ${message}`)

const creations: [kind: string, title: string, spec: object, errors: string[]][] = [
  ...Object.keys(BASES).map(
    kind => [kind, 'as it is by default', {}, []] as [string, string, object, string[]],
  ),
  [
    'Deployment',
    'with fewer than no Pods',
    { replicas: -1 },
    ['spec.replicas: Invalid value: -1: must be greater than or equal to 0'],
  ],
  ['Deployment', 'without a selector', { selector: undefined }, ['spec.selector: Required value']],
  [
    'Deployment',
    'whose selector does not find its Pods',
    { template: template({ app: 'other' }) },
    [
      'spec.template.metadata.labels: Invalid value: {"app":"other"}: `selector` does not match template `labels`',
    ],
  ],
  [
    'Deployment',
    'with an empty selector',
    { selector: {} },
    ['spec.selector: Invalid value: {}: empty selector is invalid for deployment'],
  ],
  [
    'Deployment',
    'whose Pods end',
    { template: template({ app: 'web' }, { restartPolicy: 'Never', activeDeadlineSeconds: 5 }) },
    [
      'spec.template.spec.restartPolicy: Unsupported value: "Never": supported values: "Always"',
      'spec.template.spec.activeDeadlineSeconds: Forbidden: activeDeadlineSeconds in ReplicaSet is not Supported',
    ],
  ],
  [
    'Deployment',
    'that recreates with limits',
    { strategy: { ...rolling, type: 'Recreate' } },
    ["spec.strategy.rollingUpdate: Forbidden: may not be specified when strategy `type` is 'Recreate'"],
  ],
  [
    'Deployment',
    'that could never roll',
    { strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 0, maxUnavailable: '0%' } } },
    ['spec.strategy.rollingUpdate.maxUnavailable: Invalid value: "0%": may not be 0 when `maxSurge` is 0'],
  ],
  [
    'Deployment',
    'with more than all unavailable',
    { strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 0, maxUnavailable: '110%' } } },
    ['spec.strategy.rollingUpdate.maxUnavailable: Invalid value: "110%": must not be greater than 100%'],
  ],
  [
    'Deployment',
    'with a share that is none',
    { strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 'x', maxUnavailable: 1 } } },
    [
      "spec.strategy.rollingUpdate.maxSurge: Invalid value: \"x\": a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')",
    ],
  ],
  [
    'Deployment',
    'that may take no longer than Pods need to be available',
    { minReadySeconds: 30, progressDeadlineSeconds: 30 },
    ['spec.progressDeadlineSeconds: Invalid value: 30: must be greater than minReadySeconds'],
  ],
  [
    'DaemonSet',
    'with both limits',
    { updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 1, maxSurge: 1 } } },
    [
      'spec.updateStrategy.rollingUpdate.maxSurge: Invalid value: 1: may not be set when maxUnavailable is non-zero',
    ],
  ],
  [
    'DaemonSet',
    'with neither limit',
    { updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 0, maxSurge: 0 } } },
    ['spec.updateStrategy.rollingUpdate.maxUnavailable: Required value: cannot be 0 when maxSurge is 0'],
  ],
  [
    'DaemonSet',
    'with an empty selector',
    { selector: {} },
    ['spec.selector: Invalid value: {}: empty selector is invalid for daemonset'],
  ],
  [
    'StatefulSet',
    'with a policy that is none',
    { podManagementPolicy: 'Sometimes' },
    ["spec.podManagementPolicy: Invalid value: \"Sometimes\": must be 'OrderedReady' or 'Parallel'"],
  ],
  [
    'StatefulSet',
    'with a partition and OnDelete',
    { updateStrategy: { type: 'OnDelete', rollingUpdate: { partition: 1 } } },
    [
      'spec.updateStrategy.rollingUpdate: Invalid value: {"Partition":1,"MaxUnavailable":null}: only allowed for updateStrategy \'RollingUpdate\'',
    ],
  ],
  [
    'StatefulSet',
    'with nothing that may be unavailable',
    { updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 0 } } },
    ['spec.updateStrategy.rollingUpdate.maxUnavailable: Invalid value: 0: cannot be 0'],
  ],
  [
    'StatefulSet',
    'with a retention that is none',
    { persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Retain', whenScaled: 'Burn' } },
    [
      'spec.persistentVolumeClaimRetentionPolicy.whenScaled: Unsupported value: "Burn": supported values: "Retain", "Delete"',
    ],
  ],
  ['ReplicationController', 'without a selector', { selector: {} }, ['spec.selector: Required value']],
  [
    'ReplicationController',
    'whose selector does not find its Pods',
    { selector: { app: 'other' } },
    [
      'spec.template.metadata.labels: Invalid value: {"app":"web"}: `selector` does not match template `labels`',
    ],
  ],
]

for (const [kind, title, spec, errors] of creations) {
  test(`a ${kind} ${title}`, () => assert.deepEqual(shown(validateCreate(object(kind, spec), true)), errors))
}

test('the selector of what stands is not changed', () => {
  const labels = { app: 'web', tier: 'x' }
  const spec = { selector: { matchLabels: labels }, template: template(labels) }
  for (const kind of ['Deployment', 'ReplicaSet', 'DaemonSet']) {
    assert.deepEqual(shown(validateUpdate(object(kind, spec), object(kind))), [
      'spec.selector: Invalid value: {"matchLabels":{"app":"web","tier":"x"}}: field is immutable',
    ])
  }
})

test('of a StatefulSet only some fields change', () => {
  const update = (spec: object) => shown(validateUpdate(object('StatefulSet', spec), object('StatefulSet')))
  assert.deepEqual(
    update({ replicas: 5, minReadySeconds: 3, ordinals: { start: 2 }, revisionHistoryLimit: 1 }),
    [],
  )
  assert.deepEqual(update({ serviceName: 'other' }), [
    "spec: Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden",
  ])
})

test('a container may mount the claims of its StatefulSet', () => {
  const claims = [
    {
      metadata: { name: 'data' },
      spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
    },
  ]
  const pods = template()
  pods.spec.containers = [
    { ...pods.spec.containers[0]!, volumeMounts: [{ name: 'data', mountPath: '/d' }] } as never,
  ]
  const errors = (volumeClaimTemplates: object[]) =>
    shown(validateCreate(object('StatefulSet', { template: pods, volumeClaimTemplates }), true))
  assert.deepEqual(errors(claims), [])
  assert.deepEqual(errors([]), ['spec.template.spec.containers[0].volumeMounts[0].name: Not found: "data"'])
})

test('a status that cannot be is refused', () => {
  const update = (kind: string, status: object, before: object = {}) =>
    shown(validateUpdate(object(kind, {}, status), object(kind, {}, before), 'status'))
  assert.deepEqual(update('Deployment', { replicas: 1, readyReplicas: 2, availableReplicas: 3 }), [
    'status.readyReplicas: Invalid value: 2: cannot be greater than status.replicas',
    'status.availableReplicas: Invalid value: 3: cannot be greater than status.replicas',
    'status.availableReplicas: Invalid value: 3: cannot be greater than readyReplicas',
  ])
  assert.deepEqual(update('DaemonSet', { numberReady: -1 }), [
    'status.numberReady: Invalid value: -1: must be greater than or equal to 0',
  ])
  assert.deepEqual(update('StatefulSet', { collisionCount: 1 }, { collisionCount: 2 }), [
    'status.collisionCount: Invalid value: 1: cannot be decremented',
  ])
})
