// A DaemonSet's Pod for one node. Upstream: pkg/controller/daemon/util/daemonset_util.go.
import type { Draft } from '../../api/kube-object.ts'
import type { DaemonSet } from '../../api/types/apps-v1.ts'
import type { Affinity, Pod, PodSpec, Toleration } from '../../api/types/core-v1.ts'
import { REVISION_HASH } from '../history/revision.ts'
import { podFromTemplate } from '../pod-control/pod-control.ts'

/** Kept by the server: counts changes of the template. */
const TEMPLATE_GENERATION = 'deprecated.daemonset.template.generation'
const POD_TEMPLATE_GENERATION = 'pod-template-generation'

const whileTainted = (key: string, effect: 'NoExecute' | 'NoSchedule'): Toleration => ({
  key: `node.kubernetes.io/${key}`,
  operator: 'Exists',
  effect,
})

/** Daemons stay where others must go. Upstream: AddOrUpdateDaemonPodTolerations. */
const DAEMON_TOLERATIONS: readonly Toleration[] = [
  whileTainted('not-ready', 'NoExecute'),
  whileTainted('unreachable', 'NoExecute'),
  whileTainted('disk-pressure', 'NoSchedule'),
  whileTainted('memory-pressure', 'NoSchedule'),
  whileTainted('pid-pressure', 'NoSchedule'),
  whileTainted('unschedulable', 'NoSchedule'),
]

/** Bound to its node by affinity: the scheduler places it like any other. */
export function newDaemonPod(set: DaemonSet, nodeName: string, hash: string): Draft<Pod> {
  const pod = podFromTemplate(set.spec.template, set)
  const generation = set.metadata.annotations?.[TEMPLATE_GENERATION]
  const labels = {
    ...pod.metadata.labels,
    ...(generation && { [POD_TEMPLATE_GENERATION]: generation }),
    [REVISION_HASH]: hash,
  }
  const spec: PodSpec = {
    ...pod.spec,
    tolerations: daemonTolerations(pod.spec),
    affinity: affinityTo(nodeName, pod.spec.affinity),
  }
  return { ...pod, metadata: { ...pod.metadata, labels }, spec }
}

export function daemonTolerations({ tolerations = [], hostNetwork }: PodSpec): Toleration[] {
  const added = hostNetwork
    ? [...DAEMON_TOLERATIONS, whileTainted('network-unavailable', 'NoSchedule')]
    : DAEMON_TOLERATIONS
  const isSame = (a: Toleration, b: Toleration) =>
    a.key === b.key &&
    (a.effect ?? '') === b.effect &&
    (a.operator ?? '') === b.operator &&
    (a.value ?? '') === (b.value ?? '')
  const own = tolerations.map(toleration => added.find(one => isSame(toleration, one)) ?? toleration)
  const missing = added.filter(one => !tolerations.some(toleration => isSame(toleration, one)))
  return [...own, ...missing]
}

/** Takes the place of every required term; preferences stay. Upstream: ReplaceDaemonSetPodNodeNameNodeAffinity. */
function affinityTo(nodeName: string, affinity: Affinity = {}): Affinity {
  const requirement = { key: 'metadata.name', operator: 'In' as const, values: [nodeName] }
  return {
    ...affinity,
    nodeAffinity: {
      ...affinity.nodeAffinity,
      requiredDuringSchedulingIgnoredDuringExecution: {
        nodeSelectorTerms: [{ matchFields: [requirement] }],
      },
    },
  }
}

/** Where it runs or is to run; undefined for a Pod of another's making. Upstream: GetTargetNodeName. */
export function targetNode({ spec }: Pod): string | undefined {
  if (spec.nodeName) return spec.nodeName
  const required = spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution
  return (required?.nodeSelectorTerms ?? [])
    .flatMap(({ matchFields = [] }) => matchFields)
    .find(
      ({ key, operator, values = [] }) => key === 'metadata.name' && operator === 'In' && values.length === 1,
    )?.values?.[0]
}

export const isUpdated = ({ metadata }: Pod, hash: string): boolean =>
  metadata.labels?.[REVISION_HASH] === hash
