// What each node may see because a pod on it needs it: secrets, configmaps, claims with their volumes, service
// accounts. Kept by a watch of the store. Upstream: plugin/pkg/auth/authorizer/node/graph.go.
import type { KubeObject } from '../../../api/kube-object.ts'
import { referencesOf } from '../../../api/pod/references.ts'
import type { PersistentVolume, Pod } from '../../../api/types/core-v1.ts'
import type { ResourceSlice } from '../../../api/types/resource-v1.ts'
import { Compacted, SlowConsumer, type Storage } from '../../../storage/storage.ts'

const PODS = '/registry/pods/'
const VOLUMES = '/registry/persistentvolumes/'
const SLICES = '/registry/resource.k8s.io/resourceslices/'

/** One pod's hold on things, on one node. */
interface Hold {
  nodeName: string
  things: readonly string[]
}

export type NodeThing =
  | 'pods'
  | 'secrets'
  | 'configmaps'
  | 'persistentvolumeclaims'
  | 'serviceaccounts'
  | 'resourceclaims'

export class NodeGraph {
  readonly #storage: Storage
  readonly #holds = new Map<string, Hold>()
  /** Node → thing → how many pods need it. */
  readonly #counts = new Map<string, Map<string, number>>()
  /** Volume → the claim that is bound to it, 'namespace/name', and the secrets that mounting it needs. */
  readonly #volumes = new Map<string, { claim: string; secrets: readonly string[] }>()
  readonly #volumesOfSecret = new Map<string, Set<string>>()
  /** ResourceSlice → the node whose devices it tells. */
  readonly #slices = new Map<string, string>()

  constructor(storage: Storage) {
    this.#storage = storage
  }

  /** Reads what is stored and follows it until the signal aborts or the store closes. */
  async run(signal: AbortSignal): Promise<void> {
    await Promise.all([
      this.#follow(PODS, signal, (key, object) => this.#setPod(key, object as unknown as Pod | undefined)),
      this.#follow(VOLUMES, signal, (key, object) =>
        this.#setVolume(key.slice(VOLUMES.length), object as unknown as PersistentVolume | undefined),
      ),
      this.#follow(SLICES, signal, (key, object) =>
        this.#setSlice(key.slice(SLICES.length), object as unknown as ResourceSlice | undefined),
      ),
    ])
  }

  /** Does a pod on the node need it? `name` is 'namespace/name'. */
  needs(nodeName: string, thing: NodeThing, name: string): boolean {
    const counts = this.#counts.get(nodeName)
    if (!counts) return false
    if (counts.has(`${thing}/${name}`)) return true
    return thing === 'secrets' && this.#volumeNeeds(nodeName, name)
  }

  needsVolume(nodeName: string, name: string): boolean {
    const claim = this.#volumes.get(name)?.claim
    return claim !== undefined && this.needs(nodeName, 'persistentvolumeclaims', claim)
  }

  hasSlice(nodeName: string, name: string): boolean {
    return this.#slices.get(name) === nodeName
  }

  #setSlice(name: string, slice: ResourceSlice | undefined): void {
    const nodeName = slice?.spec.nodeName
    if (nodeName) this.#slices.set(name, nodeName)
    else this.#slices.delete(name)
  }

  #volumeNeeds(nodeName: string, secret: string): boolean {
    return [...(this.#volumesOfSecret.get(secret) ?? [])].some(volume => this.needsVolume(nodeName, volume))
  }

  async #follow(
    prefix: string,
    signal: AbortSignal,
    set: (key: string, object: KubeObject | undefined) => void,
  ): Promise<void> {
    const known = new Set<string>()
    const put = (key: string, object: KubeObject) => {
      known.add(key)
      set(key, object)
    }
    for (;;) {
      const { items, revision } = await this.#storage.list(prefix)
      const there = new Set(items.map(({ key }) => key))
      for (const key of known) if (!there.has(key)) set(key, undefined)
      for (const { key, object } of items) put(key, object)
      try {
        for await (const event of this.#storage.watch(prefix, { after: revision, signal })) {
          if (event.type === 'put') put(event.key, event.object)
          else if (event.type === 'delete') set(event.key, undefined)
        }
        return
      } catch (error) {
        if (!(error instanceof Compacted || error instanceof SlowConsumer)) throw error
      }
    }
  }

  #setPod(key: string, pod: Pod | undefined): void {
    const before = this.#holds.get(key)
    // A pod's references change with its node, its ephemeral containers and the claims made for it only.
    const after = pod?.spec.nodeName
      ? { nodeName: pod.spec.nodeName, things: [...thingsOf(pod), ...resourceClaimsOf(pod)] }
      : undefined
    if (before) this.#count(before, -1)
    if (after) {
      this.#count(after, 1)
      this.#holds.set(key, after)
    } else this.#holds.delete(key)
  }

  #count({ nodeName, things }: Hold, by: 1 | -1): void {
    const counts = this.#counts.get(nodeName) ?? new Map<string, number>()
    for (const thing of things) {
      const count = (counts.get(thing) ?? 0) + by
      if (count > 0) counts.set(thing, count)
      else counts.delete(thing)
    }
    if (counts.size > 0) this.#counts.set(nodeName, counts)
    else this.#counts.delete(nodeName)
  }

  #setVolume(name: string, volume: PersistentVolume | undefined): void {
    for (const secret of this.#volumes.get(name)?.secrets ?? [])
      this.#volumesOfSecret.get(secret)?.delete(name)
    this.#volumes.delete(name)
    const claim = volume?.spec.claimRef
    if (!volume || !claim) return
    const home = claim.namespace ?? ''
    const secrets = secretsOf(volume, home)
    this.#volumes.set(name, { claim: `${home}/${claim.name}`, secrets })
    for (const secret of secrets) {
      const volumes = this.#volumesOfSecret.get(secret) ?? new Set<string>()
      this.#volumesOfSecret.set(secret, volumes.add(name))
    }
  }
}

/** Reads of the same spec are answered from memory: status updates share it. */
const remembered = new WeakMap<Pod['spec'], readonly string[]>()

function thingsOf(pod: Pod): readonly string[] {
  const known = remembered.get(pod.spec)
  if (known) return known
  const { namespace = '', name } = pod.metadata
  const { secrets, configMaps, claims } = referencesOf(pod)
  const things = [
    `pods/${namespace}/${name}`,
    ...(pod.spec.serviceAccountName ? [`serviceaccounts/${namespace}/${pod.spec.serviceAccountName}`] : []),
    ...[...secrets].map(secret => `secrets/${namespace}/${secret}`),
    ...[...configMaps].map(map => `configmaps/${namespace}/${map}`),
    ...[...claims].map(claim => `persistentvolumeclaims/${namespace}/${claim}`),
  ]
  remembered.set(pod.spec, things)
  return things
}

/** Named by the pod, or made for it. */
function resourceClaimsOf({ metadata, spec, status }: Pod): string[] {
  const made = status.extendedResourceClaimStatus?.resourceClaimName
  if (!spec.resourceClaims && !made) return []
  const named = (spec.resourceClaims ?? []).map(
    ({ name, resourceClaimName }) =>
      resourceClaimName ??
      status.resourceClaimStatuses?.find(one => one.name === name)?.resourceClaimName ??
      '',
  )
  return [...named, made ?? '']
    .filter(name => name !== '')
    .map(name => `resourceclaims/${metadata.namespace}/${name}`)
}

/** 'namespace/name' of what a driver is handed when it mounts the volume. Upstream: persistentvolume.VisitPVSecretNames. */
function secretsOf({ spec }: PersistentVolume, claimNamespace: string): string[] {
  const references = [
    spec.cephfs?.secretRef,
    spec.cinder?.secretRef,
    spec.flexVolume?.secretRef,
    spec.rbd?.secretRef,
    spec.scaleIO?.secretRef,
    spec.iscsi?.secretRef,
    spec.storageos?.secretRef,
    spec.csi?.nodePublishSecretRef,
    spec.csi?.nodeStageSecretRef,
    spec.csi?.nodeExpandSecretRef,
    spec.azureFile && { name: spec.azureFile.secretName, namespace: spec.azureFile.secretNamespace },
  ]
  return references.flatMap(reference =>
    reference?.name ? [`${reference.namespace || claimNamespace}/${reference.name}`] : [],
  )
}
