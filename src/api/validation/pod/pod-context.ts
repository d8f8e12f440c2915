// What the checks of a part need to know of the Pod or template around it.
import type { Container, EphemeralContainer, PodSpec, Volume } from '../../types/core-v1.ts'

export interface PodContext {
  spec: PodSpec
  /** Path of the spec: 'spec', 'spec.template.spec'. */
  path: string
  /** Volumes without errors, by name. */
  volumes: ReadonlyMap<string, Volume>
  claimNames: ReadonlySet<string>
  /** Undefined where the spec has none, which is an error of its own. */
  gracePeriodSeconds: number | undefined
  /** A Pod, not a template in another object. */
  isPod: boolean
  /** Of a Pod that has one. */
  podName: string
  isMirrorPod: boolean
}

export interface PodFrame {
  isPod?: boolean
  podName?: string
  isMirrorPod?: boolean
}

export function contextOf(spec: PodSpec, path = 'spec', frame: PodFrame = {}): PodContext {
  return {
    spec,
    path,
    volumes: new Map((spec.volumes ?? []).map(volume => [volume.name, volume])),
    claimNames: new Set((spec.resourceClaims ?? []).map(({ name }) => name).filter(name => name)),
    gracePeriodSeconds: spec.terminationGracePeriodSeconds,
    isPod: frame.isPod ?? false,
    podName: frame.podName ?? '',
    isMirrorPod: frame.isMirrorPod ?? false,
  }
}

/** Init containers, containers and ephemeral ones, each with its path. Upstream: VisitContainersWithPath. */
export function* containersOf(
  spec: PodSpec,
  path: string,
): Generator<[Container | EphemeralContainer, string]> {
  for (const list of ['initContainers', 'containers', 'ephemeralContainers'] as const) {
    for (const [index, container] of (spec[list] ?? []).entries()) {
      yield [container, `${path}.${list}[${index}]`]
    }
  }
}
