import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Node, Pod } from '../../api/types/core-v1.ts'
import { podOf, sidecar, spec } from '../testing/pods.fixture.ts'
import { rejection } from './can-admit.ts'

const node = (more: object = {}): Node =>
  ({
    metadata: { name: 'n', labels: { zone: 'a', 'kubernetes.io/os': 'linux' } },
    spec: {},
    status: { allocatable: { cpu: '2', memory: '1Gi', pods: '2', 'ephemeral-storage': '1Gi' } },
    ...more,
  }) as unknown as Node
const asking = (requests: Record<string, string>) =>
  podOf({ containers: [spec('a', { resources: { requests } })] })
const onPort = (hostPort: number, more: object = {}) =>
  podOf({ containers: [spec('a', { ports: [{ containerPort: 80, hostPort, protocol: 'TCP', ...more }] })] })
const tainted = node({ spec: { taints: [{ key: 'k', effect: 'NoExecute' }] } })
const enough = (what: string, requested: number, used: number, capacity: number) =>
  `Pod was rejected: Node didn't have enough resource: ${what}, requested: ${requested}, used: ${used}, capacity: ${capacity}`
const PORTS =
  "Pod was rejected: Predicate NodePorts failed: node(s) didn't have free ports for the requested pod ports"

interface Case {
  pod: Pod
  on?: Node
  others?: Pod[]
  /** Left out: the pod is taken. */
  reason?: string
  message?: string
}

const cases: Record<string, Case> = {
  'a pod that asks for nothing is taken': { pod: podOf() },
  'too many pods': {
    pod: podOf(),
    others: [podOf(), podOf()],
    reason: 'OutOfpods',
    message: enough('pods', 1, 2, 2),
  },
  'too little cpu, in thousandths': {
    pod: asking({ cpu: '1500m' }),
    others: [asking({ cpu: '1' })],
    reason: 'OutOfcpu',
    message: enough('cpu', 1500, 1000, 2000),
  },
  'just enough cpu': { pod: asking({ cpu: '1' }), others: [asking({ cpu: '1' })] },
  'too little memory, in bytes': {
    pod: asking({ memory: '2Gi' }),
    reason: 'OutOfmemory',
    message: enough('memory', 2 ** 31, 0, 2 ** 30),
  },
  'too little local storage': {
    pod: asking({ 'ephemeral-storage': '2Gi' }),
    reason: 'OutOfephemeral-storage',
  },
  // Upstream: removeMissingExtendedResources.
  'a resource of the cluster that the node does not know': { pod: asking({ 'example.com/gpu': '1' }) },
  'a selector of another node': {
    pod: podOf({ nodeSelector: { zone: 'b' } }),
    reason: 'NodeAffinity',
    message:
      "Pod was rejected: Predicate NodeAffinity failed: node(s) didn't match Pod's node affinity/selector",
  },
  'a selector of this node': { pod: podOf({ nodeSelector: { zone: 'a' } }) },
  'a port that is taken': { pod: onPort(80), others: [onPort(80)], reason: 'NodePorts', message: PORTS },
  'the port of a sidecar that is taken': {
    pod: podOf({
      initContainers: [sidecar('s', { ports: [{ containerPort: 1, hostPort: 80, protocol: 'TCP' }] })],
    }),
    others: [onPort(80)],
    reason: 'NodePorts',
  },
  'the same port of another protocol': { pod: onPort(80), others: [onPort(80, { protocol: 'UDP' })] },
  'the same port of another address': {
    pod: onPort(80, { hostIP: '127.0.0.1' }),
    others: [onPort(80, { hostIP: '127.0.0.2' })],
  },
  'the same port of every address': {
    pod: onPort(80, { hostIP: '127.0.0.1' }),
    others: [onPort(80)],
    reason: 'NodePorts',
  },
  'a taint that ends pods': {
    pod: podOf(),
    on: tainted,
    reason: 'TaintToleration',
    message: 'Pod was rejected: Predicate TaintToleration failed: node(s) had untolerated taint(s)',
  },
  'a taint that is tolerated': {
    pod: podOf({ tolerations: [{ key: 'k', operator: 'Exists' }] }),
    on: tainted,
  },
  'a taint that only keeps pods from being scheduled': {
    pod: podOf(),
    on: node({ spec: { taints: [{ key: 'k', effect: 'NoSchedule' }] } }),
  },
  'another operating system': {
    pod: podOf({ os: { name: 'windows' } }),
    reason: 'PodOSNotSupported',
    message: "Pod was rejected: Failed to admit pod as the OS field doesn't match node OS",
  },
  'the label of another operating system': {
    pod: podOf({}, { labels: { 'kubernetes.io/os': 'windows' } }),
    reason: 'PodOSSelectorNodeLabelDoesNotMatch',
    message: "Pod was rejected: Failed to admit pod as the `kubernetes.io/os` label doesn't match node label",
  },
}

for (const [title, { pod, on = node(), others = [], reason, message }] of Object.entries(cases)) {
  test(title, () => {
    const words = rejection(pod, on, others)
    assert.equal(words?.reason, reason)
    if (message) assert.equal(words?.message, message)
  })
}
