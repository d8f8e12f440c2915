// How many Pods the controllers of some Pods want together. Upstream: getExpectedScale and its finders.
import type { KubeObject, Resource } from '../../api/kube-object.ts'
import { deployments, replicaSets, replicationControllers, statefulSets } from '../../api/resources.ts'
import { isNotFound, qualifiedName } from '../../api/status-error.ts'
import type { Deployment, ReplicaSet, StatefulSet } from '../../api/types/apps-v1.ts'
import type { Pod, ReplicationController } from '../../api/types/core-v1.ts'
import type { ObjectMeta, OwnerReference } from '../../api/types/meta-v1.ts'
import { Informer } from '../../client/informer.ts'
import type { Lister } from '../../client/lister.ts'
import { type ResourceCatalog, resourceOfKind } from '../../client/resource-catalog.ts'
import type { ControllerContext } from '../controller-context.ts'
import { controllerOf } from '../pod-control/claim.ts'

export interface ScaleContext extends ControllerContext {
  catalog: ResourceCatalog
}

interface Sized {
  metadata: ObjectMeta
  spec: { replicas?: number }
}

interface FoundScale {
  uid: string
  replicas: number
}

export class ControllerScales {
  readonly #context: ScaleContext
  readonly #replicaSets: Informer<ReplicaSet>
  readonly #deployments: Informer<Deployment>
  readonly #statefulSets: Informer<StatefulSet>
  readonly #replicationControllers: Informer<ReplicationController>

  constructor(context: ScaleContext) {
    const { client, clock, log } = context
    const informer = <T extends { metadata: ObjectMeta }>(resource: Resource<T>) =>
      new Informer<T>({ client, resource, clock, log })
    this.#context = context
    this.#replicaSets = informer(replicaSets)
    this.#deployments = informer(deployments)
    this.#statefulSets = informer(statefulSets)
    this.#replicationControllers = informer(replicationControllers)
  }

  get informers(): { run(signal: AbortSignal): Promise<void>; synced: Promise<void> }[] {
    return [this.#replicaSets, this.#deployments, this.#statefulSets, this.#replicationControllers]
  }

  /** Throws when a Pod's controller cannot be found. Pods without one are left out and named. */
  async scaleOf(pods: readonly Pod[]): Promise<{ scale: number; unmanaged: string[] }> {
    const scales = new Map<string, number>()
    const looked = new Set<string>()
    const unmanaged: string[] = []
    for (const pod of pods) {
      const controller = controllerOf(pod)
      if (!controller) unmanaged.push(pod.metadata.name)
      else if (!looked.has(controller.uid)) {
        looked.add(controller.uid)
        const found = await this.#find(controller, pod.metadata.namespace!)
        if (!found) throw new Error(`found no controllers for pod "${pod.metadata.name}"`)
        scales.set(found.uid, found.replicas)
      }
    }
    return { scale: [...scales.values()].reduce((sum, replicas) => sum + replicas, 0), unmanaged }
  }

  async #find(reference: OwnerReference, namespace: string): Promise<FoundScale | undefined> {
    const group = groupOf(reference)
    const known = (lister: Lister<Sized>) => found(lister.find(reference.name, namespace), reference.uid)
    if (reference.kind === 'ReplicationController' && group === '') {
      return known(this.#replicationControllers.lister)
    }
    if (reference.kind === 'StatefulSet' && group === 'apps') return known(this.#statefulSets.lister)
    if (reference.kind === 'ReplicaSet' && group === 'apps') {
      const set = this.#replicaSets.lister.find(reference.name, namespace)
      if (!set || set.metadata.uid !== reference.uid) return undefined
      const owner = controllerOf(set)
      if (owner?.kind !== 'Deployment') return found(set, reference.uid)
      return found(this.#deployments.lister.find(owner.name, namespace), owner.uid)
    }
    return this.#ask(reference, namespace)
  }

  /** Any other kind tells through its scale subresource. */
  async #ask(reference: OwnerReference, namespace: string): Promise<FoundScale | undefined> {
    const { client, catalog } = this.#context
    const resource = resourceOfKind(catalog.list(), reference)
    if (!resource) {
      throw new Error(`no matches for kind "${reference.kind}" in group "${groupOf(reference)}"`)
    }
    if (!resource.subresources.some(({ name }) => name === 'scale')) {
      throw new Error(`${qualifiedName(resource)} does not implement the scale subresource`)
    }
    try {
      const key = { name: reference.name, namespace }
      const scale = await client.get(resource as Resource<KubeObject & Sized>, key, { subresource: 'scale' })
      return found(scale, reference.uid)
    } catch (error) {
      if (isNotFound(error)) return undefined
      throw error
    }
  }
}

function found(object: Sized | undefined, uid: string): FoundScale | undefined {
  if (!object || object.metadata.uid !== uid) return undefined
  return { uid, replicas: object.spec.replicas ?? 1 }
}

const groupOf = ({ apiVersion }: OwnerReference): string =>
  apiVersion.includes('/') ? apiVersion.slice(0, apiVersion.indexOf('/')) : ''
