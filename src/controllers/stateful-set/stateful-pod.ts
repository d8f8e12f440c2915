// A StatefulSet's Pod of one ordinal: its name, its labels and its claims. Upstream: stateful_set_utils.go.
import type { Draft } from '../../api/kube-object.ts'
import type { StatefulSet } from '../../api/types/apps-v1.ts'
import type { Pod, PodTemplateSpec, Volume } from '../../api/types/core-v1.ts'
import { REVISION_HASH } from '../history/revision.ts'
import { podFromTemplate } from '../pod-control/pod-control.ts'
import { claimName, isMemberOf, ordinalOf, podName } from './ordinals.ts'

const POD_NAME = 'statefulset.kubernetes.io/pod-name'
const POD_INDEX = 'apps.kubernetes.io/pod-index'

/** Of the ordinal and of the revision whose template this is. Upstream: newVersionedStatefulSetPod. */
export function newStatefulPod(
  set: StatefulSet,
  ordinal: number,
  { template, revision }: { template: PodTemplateSpec; revision: string },
): Draft<Pod> {
  const pod = podFromTemplate(template, set)
  const name = podName(set, ordinal)
  return {
    ...pod,
    metadata: {
      ...pod.metadata,
      name,
      labels: { ...pod.metadata.labels, ...identityLabels(name, ordinal), [REVISION_HASH]: revision },
    },
    spec: {
      ...pod.spec,
      hostname: name,
      ...(set.spec.serviceName && { subdomain: set.spec.serviceName }),
      ...volumesField(claimVolumes(set, ordinal), pod.spec.volumes),
    },
  }
}

const identityLabels = (name: string, ordinal: number) => ({ [POD_NAME]: name, [POD_INDEX]: String(ordinal) })

function claimVolumes(set: StatefulSet, ordinal: number): Volume[] {
  return (set.spec.volumeClaimTemplates ?? []).map(({ metadata: { name } }) => ({
    name,
    persistentVolumeClaim: { claimName: claimName(name, set, ordinal) },
  }))
}

/** Claims take the place of volumes of the same name. */
function volumesField(claims: Volume[], others: readonly Volume[] = []): { volumes?: Volume[] } {
  const names = new Set(claims.map(({ name }) => name))
  const volumes = [...claims, ...others.filter(({ name }) => !names.has(name))]
  return volumes.length > 0 ? { volumes } : {}
}

export const revisionOfPod = ({ metadata }: Pod): string => metadata.labels?.[REVISION_HASH] ?? ''

/** Upstream: identityMatches. */
export function hasIdentity(set: StatefulSet, pod: Pod): boolean {
  const { name, labels = {} } = pod.metadata
  const ordinal = ordinalOf(pod)
  return isMemberOf(set, pod) && labels[POD_NAME] === name && labels[POD_INDEX] === String(ordinal)
}

/** Upstream: storageMatches. */
export function hasStorage(set: StatefulSet, pod: Pod): boolean {
  const claims = new Map(
    (pod.spec.volumes ?? []).map(volume => [volume.name, volume.persistentVolumeClaim?.claimName]),
  )
  return claimVolumes(set, ordinalOf(pod)).every(
    ({ name, persistentVolumeClaim }) => claims.get(name) === persistentVolumeClaim!.claimName,
  )
}

/** The Pod with its identity and its claims as they must be. */
export function repaired(set: StatefulSet, pod: Pod): Pod {
  const ordinal = ordinalOf(pod)
  const { metadata, spec } = pod
  return {
    ...pod,
    metadata: { ...metadata, labels: { ...metadata.labels, ...identityLabels(metadata.name, ordinal) } },
    spec: { ...spec, ...volumesField(claimVolumes(set, ordinal), spec.volumes) },
  }
}
