import type { Plugin } from '../framework.ts'
import { unresolvable } from '../framework.ts'
import { planVolumes } from '../volumes/plan-volumes.ts'
import { claimNamesOf, claimProblem, isOwnClaim, type PodClaims, podClaims } from '../volumes/pod-claims.ts'
import type { VolumeObjects } from '../volumes/volume-objects.ts'

interface Claims {
  claims: PodClaims
  volumes: VolumeObjects
}

/** Volumes have to be reachable from the node; claims that wait for their first Pod get theirs. Upstream: volumebinding. */
export const volumeBinding: Plugin<Claims> = {
  name: 'VolumeBinding',
  prepare(pod, { objects: { volumes } }) {
    if (claimNamesOf(pod).length === 0) return { skip: true }
    const problem = claimProblem(pod, volumes)
    if (problem) return { rejection: unresolvable(problem) }
    const claims = podClaims(pod, volumes)
    if (claims.immediate.length > 0)
      return { rejection: unresolvable('pod has unbound immediate PersistentVolumeClaims') }
    return { state: { claims, volumes } }
  },
  filter(_pod, { node }, { claims, volumes }) {
    const { reasons } = planVolumes(claims, node, volumes)
    return reasons && unresolvable(...reasons)
  },
  mayHelp(event, pod) {
    if (isOwnClaim(event, pod)) return true
    if (event.what === 'nodeChanged') return event.aspects.has('labels')
    return (
      event.what === 'volumesChanged' || event.what === 'storageRoomChanged' || event.what === 'nodeAdded'
    )
  },
}
