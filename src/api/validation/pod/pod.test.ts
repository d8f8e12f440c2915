import assert from 'node:assert/strict'
import { test } from 'node:test'
import { applyDefaults } from '../../defaults/defaults.ts'
import type { KubeObject } from '../../kube-object.ts'
import { decodeObject } from '../../schema/decode-object.ts'
import type { Pod } from '../../types/core-v1.ts'
import { validateEphemeralContainersUpdate, validatePodCreate } from './pod.ts'
import { validatePodStatusUpdate } from './pod-status.ts'
import { validatePodUpdate } from './pod-update.ts'

type Json = Record<string, unknown>

/** A valid Pod, with changes to its spec. */
function pod(spec: Json = {}, metadata: Json = {}): Pod {
  const body = {
    metadata: { name: 'p', namespace: 'default', ...metadata },
    spec: { containers: [{ name: 'app', image: 'busybox:1' }], ...spec },
  }
  const { object } = decodeObject(body, 'v1', 'Pod')
  applyDefaults(object)
  return object as unknown as Pod
}

const app = (extra: Json = {}) => [{ name: 'app', image: 'busybox:1', ...extra }]
const probe = { exec: { command: ['true'] } }

/** What is wrong → the errors, each 'path: message'. */
const refused: Record<string, [Pod, string[]]> = {
  'no containers': [pod({ containers: [] }), ['spec.containers: Required value']],
  'no image': [pod({ containers: [{ name: 'app' }] }), ['spec.containers[0].image: Required value']],
  'no name': [pod({ containers: [{ image: 'x' }] }), ['spec.containers[0].name: Required value']],
  'an init container called as an app': [
    pod({ initContainers: app() }),
    ['spec.initContainers[0].name: Duplicate value: "app"'],
  ],
  'a probe on a regular init container': [
    pod({ initContainers: [{ name: 'i', image: 'x', livenessProbe: probe }] }),
    [
      'spec.initContainers[0].livenessProbe: Forbidden: may not be set for init containers without restartPolicy=Always',
    ],
  ],
  'rules without a policy': [
    pod({
      containers: app({
        restartPolicyRules: [{ action: 'Restart', exitCodes: { operator: 'In', values: [1] } }],
      }),
    }),
    [
      'spec.containers[0].restartPolicy: Required value: must specify restartPolicy when restart rules are used',
    ],
  ],
  'an unknown restart policy': [
    pod({ restartPolicy: 'Sometimes' }),
    ['spec.restartPolicy: Unsupported value: "Sometimes": supported values: "Always", "OnFailure", "Never"'],
  ],
  'an unknown DNS policy': [
    pod({ dnsPolicy: 'X' }),
    [
      'spec.dnsPolicy: Unsupported value: "X": supported values: "ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"',
    ],
  ],
  'a probe without a handler': [
    pod({ containers: app({ livenessProbe: {} }) }),
    ['spec.containers[0].livenessProbe: Required value: must specify a handler type'],
  ],
  'a probe with two handlers': [
    pod({ containers: app({ livenessProbe: { ...probe, tcpSocket: { port: 80 } } }) }),
    ['spec.containers[0].livenessProbe.tcpSocket: Forbidden: may not specify more than 1 handler type'],
  ],
  'a liveness probe that must succeed twice': [
    pod({ containers: app({ livenessProbe: { ...probe, successThreshold: 2 } }) }),
    ['spec.containers[0].livenessProbe.successThreshold: Invalid value: 2: must be 1'],
  ],
  'a readiness probe with a grace period': [
    pod({ containers: app({ readinessProbe: { ...probe, terminationGracePeriodSeconds: 5 } }) }),
    [
      'spec.containers[0].readinessProbe.terminationGracePeriodSeconds: Invalid value: 5: must not be set for readinessProbes',
    ],
  ],
  'a hook that sleeps too long': [
    pod({ containers: app({ lifecycle: { preStop: { sleep: { seconds: 60 } } } }) }),
    [
      'spec.containers[0].lifecycle.preStop.sleep: Invalid value: 60: must be non-negative and less than terminationGracePeriodSeconds (30)',
    ],
  ],
  'a stop signal without an operating system': [
    pod({ containers: app({ lifecycle: { stopSignal: 'SIGUSR1' } }) }),
    [
      'spec.containers[0].lifecycle.stopSignal: Forbidden: may not be set for containers with empty `spec.os.name`',
    ],
  ],
  'a mount of a volume that is not there': [
    pod({ containers: app({ volumeMounts: [{ name: 'vol', mountPath: '/a' }] }) }),
    ['spec.containers[0].volumeMounts[0].name: Not found: "vol"'],
  ],
  'two mounts at one path': [
    pod({
      containers: app({
        volumeMounts: [
          { name: 'v', mountPath: '/a' },
          { name: 'v', mountPath: '/a' },
        ],
      }),
      volumes: [{ name: 'v', emptyDir: {} }],
    }),
    ['spec.containers[0].volumeMounts[1].mountPath: Invalid value: "/a": must be unique'],
  ],
  'a volume twice': [
    pod({
      volumes: [
        { name: 'v', emptyDir: {} },
        { name: 'v', emptyDir: {} },
      ],
    }),
    ['spec.volumes[1].name: Duplicate value: "v"'],
  ],
  'a request above its limit': [
    pod({ containers: app({ resources: { requests: { cpu: '2' }, limits: { cpu: '1' } } }) }),
    [
      'spec.containers[0].resources.requests: Invalid value: "2": must be less than or equal to cpu limit of 1',
    ],
  ],
  'a Pod that asks for less than its containers': [
    pod({
      containers: app({ resources: { requests: { cpu: '2' } } }),
      resources: { requests: { cpu: '1' } },
    }),
    [
      'spec.resources.requests[cpu]: Invalid value: "1": must be greater than or equal to aggregate container requests of 2',
    ],
  ],
  'a port out of range': [
    pod({ containers: app({ ports: [{ containerPort: 70000 }] }) }),
    [
      'spec.containers[0].ports[0].containerPort: Invalid value: 70000: must be between 1 and 65535, inclusive',
    ],
  ],
  'one host port twice': [
    pod({
      containers: [
        { name: 'a', image: 'x', ports: [{ containerPort: 1, hostPort: 8080 }] },
        { name: 'b', image: 'x', ports: [{ containerPort: 1, hostPort: 8080 }] },
      ],
    }),
    ['spec.containers[1].ports[0].hostPort: Duplicate value: "TCP//8080"'],
  ],
  'an unknown pull policy': [
    pod({ containers: app({ imagePullPolicy: 'Maybe' }) }),
    [
      'spec.containers[0].imagePullPolicy: Unsupported value: "Maybe": supported values: "Always", "IfNotPresent", "Never"',
    ],
  ],
  'a variable with two sources': [
    pod({
      containers: app({
        env: [{ name: 'A', value: 'x', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } }],
      }),
    }),
    [
      'spec.containers[0].env[0].valueFrom: Invalid value: "": may not be specified when `value` is not empty',
    ],
  ],
  'no time at all': [
    pod({ activeDeadlineSeconds: 0 }),
    ['spec.activeDeadlineSeconds: Invalid value: 0: must be between 1 and 2147483647, inclusive'],
  ],
  'ephemeral containers from the start': [
    pod({ ephemeralContainers: [{ name: 'debug', image: 'x' }] }),
    ['spec.ephemeralContainers: Forbidden: cannot be set on create'],
  ],
  'a node for a gated Pod': [
    pod({ nodeName: 'n', schedulingGates: [{ name: 'example.com/gate' }] }),
    ['spec.nodeName: Forbidden: cannot be set until all schedulingGates have been cleared'],
  ],
}

for (const [what, [object, expected]] of Object.entries(refused)) {
  test(`creating a Pod with ${what} is refused`, () => {
    assert.deepEqual(
      validatePodCreate(object).map(({ field, message }) => `${field}: ${message}`),
      expected,
    )
  })
}

test('a Pod that uses much is accepted', () => {
  const object = pod({
    initContainers: [
      { name: 'first', image: 'x' },
      {
        name: 'side',
        image: 'x',
        restartPolicy: 'Always',
        startupProbe: probe,
        lifecycle: { preStop: { exec: { command: ['x'] } } },
      },
    ],
    containers: app({
      readinessProbe: { httpGet: { port: 'web' } },
      ports: [{ name: 'web', containerPort: 80 }],
    }),
    volumes: [{ name: 'v' }, { name: 'c', configMap: { name: 'c' } }],
    tolerations: [{ operator: 'Exists' }],
  })
  assert.deepEqual(validatePodCreate(object), [])
})

const before = pod({
  tolerations: [{ key: 'a', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 5 }],
  activeDeadlineSeconds: 60,
})
const edited = (change: (copy: Pod) => void): Pod => {
  const copy = structuredClone(before)
  change(copy)
  return copy
}

const updates: Record<string, [(copy: Pod) => void, RegExp | undefined]> = {
  'the image': [
    copy => {
      copy.spec.containers[0]!.image = 'busybox:2'
    },
    undefined,
  ],
  'a label': [
    copy => {
      copy.metadata.labels = { a: 'b' }
    },
    undefined,
  ],
  'a further toleration': [
    copy => {
      copy.spec.tolerations!.push({ key: 'b', operator: 'Exists' })
    },
    undefined,
  ],
  'the seconds of a toleration': [
    copy => {
      copy.spec.tolerations![0]!.tolerationSeconds = 9
    },
    undefined,
  ],
  'an earlier deadline': [
    copy => {
      copy.spec.activeDeadlineSeconds = 30
    },
    undefined,
  ],
  'a later deadline': [
    copy => {
      copy.spec.activeDeadlineSeconds = 90
    },
    /must be less than or equal to previous value/,
  ],
  'a toleration taken away': [
    copy => {
      copy.spec.tolerations = []
    },
    /existing toleration can not be modified/,
  ],
  'another command': [
    copy => {
      copy.spec.containers[0]!.command = ['x']
    },
    /^spec: Forbidden: pod updates may not change fields other than `spec\.containers\[\*\]\.image`,.*previously negative\)\n[\s\S]*\+ +"Command": \[\n\+ +"x",?\n/,
  ],
  'a further container': [
    copy => {
      copy.spec.containers.push({ ...copy.spec.containers[0]!, name: 'b' })
    },
    /^spec\.containers: Forbidden: pod updates may not add or remove containers/,
  ],
  'another name': [
    copy => {
      copy.metadata.uid = 'x'
    },
    /^metadata\.uid: Invalid value: "x": field is immutable/,
  ],
}

for (const [what, [change, expected]] of Object.entries(updates)) {
  test(`changing ${what} is ${expected ? 'refused' : 'allowed'}`, () => {
    const text = validatePodUpdate(edited(change), before)
      .map(({ field, message }) => `${field}: ${message}`)
      .join('\n')
    if (expected) assert.match(text, expected)
    else assert.equal(text, '')
  })
}

test('ephemeral containers may be added, not changed, removed or given what they cannot have', () => {
  const withDebugger = (extra: Json = {}) => {
    const copy = structuredClone(before)
    copy.spec.ephemeralContainers = [{ name: 'debug', image: 'x', resources: {}, ...extra }] as never
    applyDefaults(copy as unknown as KubeObject)
    return copy
  }
  const texts = (after: Pod, old: Pod) =>
    validateEphemeralContainersUpdate(after, old).map(({ field, message }) => `${field}: ${message}`)
  assert.deepEqual(texts(withDebugger(), before), [])
  assert.match(texts(before, withDebugger())[0]!, /existing ephemeral containers "debug" may not be removed/)
  assert.match(
    texts(withDebugger({ image: 'y' }), withDebugger())[0]!,
    /existing ephemeral containers "debug" may not be changed/,
  )
  assert.deepEqual(texts(withDebugger({ targetContainerName: 'none' }), before), [
    'spec.ephemeralContainers[0].targetContainerName: Not found: "none"',
  ])
  assert.deepEqual(texts(withDebugger({ livenessProbe: probe }), before), [
    'spec.ephemeralContainers[0].livenessProbe: Forbidden: cannot be set for an Ephemeral Container',
  ])
})

test('a container that ended for good may not be reported running again', () => {
  const ended = pod({ restartPolicy: 'Never' })
  const status = (state: Json) =>
    ({ ...ended, status: { ...ended.status, containerStatuses: [{ name: 'app', state }] } }) as unknown as Pod
  const errors = validatePodStatusUpdate(status({ running: {} }), status({ terminated: { exitCode: 0 } }))
  assert.deepEqual(
    errors.map(({ field, message }) => `${field}: ${message}`),
    ['status.containerStatuses[0].state: Forbidden: may not be transitioned to non-terminated state'],
  )
})
