import type { Plugin } from '../framework.ts'
import { unresolvable } from '../framework.ts'
import { claimNamesOf, isOwnClaim } from '../volumes/pod-claims.ts'

/** Labels by which volumes and nodes say where they are; the beta ones mean the same. */
const TOPOLOGY = [
  ['topology.kubernetes.io/zone', 'failure-domain.beta.kubernetes.io/zone'],
  ['topology.kubernetes.io/region', 'failure-domain.beta.kubernetes.io/region'],
] as const

interface Place {
  keys: readonly string[]
  /** Several zones of one volume are joined by '__'. */
  values: ReadonlySet<string>
}

/** A volume's zone and region labels have to be the node's. Upstream: volumezone. */
export const volumeZone: Plugin<readonly Place[]> = {
  name: 'VolumeZone',
  prepare(pod, { objects: { volumes } }) {
    const places: Place[] = []
    for (const { name } of claimNamesOf(pod)) {
      const claim = volumes.claim(pod.metadata.namespace ?? '', name)
      if (!claim) return { rejection: unresolvable(`persistentvolumeclaim "${name}" not found`) }
      const volume = volumes.volume(claim.spec.volumeName ?? '')
      if (volume) places.push(...placesOf(volume.metadata.labels ?? {}))
    }
    return places.length > 0 ? { state: places } : { skip: true }
  },
  filter(_pod, { labels }, places) {
    if (!TOPOLOGY.flat().some(key => labels[key] !== undefined)) return undefined
    const fits = places.every(({ keys, values }) => keys.some(key => values.has(labels[key] ?? '')))
    return fits ? undefined : unresolvable('node(s) had no available volume zone')
  },
  mayHelp(event, pod) {
    if (event.what === 'nodeChanged') return event.aspects.has('labels')
    return event.what === 'nodeAdded' || event.what === 'volumesChanged' || isOwnClaim(event, pod)
  },
}

function placesOf(labels: Readonly<Record<string, string>>): Place[] {
  return TOPOLOGY.flatMap(keys =>
    keys
      .filter(key => labels[key] !== undefined)
      .map(key => ({ keys, values: new Set(labels[key]!.split('__')) })),
  )
}
