// Makes ResourceClaims from the templates that Pods name, tells the Pods their names, and takes reservations and claims
// away when Pods have ended. Upstream: pkg/controller/resourceclaim.
import { pods as podResource, resourceClaims, resourceClaimTemplates } from '../../api/resources.ts'
import { isConflict, isNotFound } from '../../api/status-error.ts'
import type { Pod, PodResourceClaim } from '../../api/types/core-v1.ts'
import type { ResourceClaim, ResourceClaimTemplate } from '../../api/types/resource-v1.ts'
import { runController } from '../../client/controller-loop.ts'
import { EventRecorder } from '../../client/events/event-recorder.ts'
import { Informer } from '../../client/informer.ts'
import { keyOf } from '../../client/lister.ts'
import { WorkQueue } from '../../client/workqueue.ts'
import type { ControllerContext } from '../controller-context.ts'
import { controllerOf } from '../pod-control/claim.ts'
import { messageOf } from '../pod-control/pod-control.ts'
import { type ClaimStep, decideClaim, FINALIZER } from './decide-claim.ts'
import {
  claimFromTemplate,
  claimsToReserve,
  isDone,
  missingClaims,
  orphanFor,
  statusesWith,
} from './decide-pod-claims.ts'

const POD = 'pod:'
const CLAIM = 'claim:'

export class ResourceClaimController {
  readonly #context: ControllerContext
  readonly #queue: WorkQueue<string>
  readonly #pods: Informer<Pod>
  readonly #claims: Informer<ResourceClaim>
  readonly #templates: Informer<ResourceClaimTemplate>
  readonly #recorder: EventRecorder

  constructor(context: ControllerContext) {
    const { client, clock, log } = context
    const parts = { client, clock, log }
    this.#context = context
    this.#queue = new WorkQueue({ clock })
    this.#pods = new Informer({ ...parts, resource: podResource })
    this.#claims = new Informer({ ...parts, resource: resourceClaims })
    this.#templates = new Informer({ ...parts, resource: resourceClaimTemplates })
    this.#recorder = new EventRecorder({ ...parts, component: 'resource_claim' })
    this.#listen()
  }

  /** Resolves when the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const informers = [this.#pods, this.#claims, this.#templates]
    const reconcile = (key: string) =>
      key.startsWith(POD) ? this.#syncPod(key.slice(POD.length)) : this.#syncClaim(key.slice(CLAIM.length))
    await runController({ informers, queue: this.#queue, reconcile, signal, log: this.#context.log })
  }

  #listen(): void {
    const podSeen = (pod: Pod) => this.#podSeen(pod)
    this.#pods.addHandler({ add: podSeen, update: (_, pod) => podSeen(pod), delete: podSeen })
    const claimSeen = (claim: ResourceClaim) => this.#queue.add(CLAIM + keyOf(claim))
    this.#claims.addHandler({
      add: claimSeen,
      update: (_, claim) => claimSeen(claim),
      // Somebody deleted it: as long as the Pod stands it needs another.
      delete: claim => {
        const owner = controllerOf(claim)
        if (owner?.kind === 'Pod') this.#queue.add(`${POD}${claim.metadata.namespace}/${owner.name}`)
      },
    })
  }

  #podSeen(pod: Pod): void {
    const wanted = pod.spec.resourceClaims ?? []
    const extended = pod.status.extendedResourceClaimStatus?.resourceClaimName
    if (extended) this.#queue.add(`${CLAIM}${pod.metadata.namespace}/${extended}`)
    if (wanted.length === 0) return
    this.#queue.add(POD + keyOf(pod))
    const told = (pod.status.resourceClaimStatuses ?? []).map(status => status.resourceClaimName)
    for (const name of [...wanted.map(claim => claim.resourceClaimName), ...told])
      if (name) this.#queue.add(`${CLAIM}${pod.metadata.namespace}/${name}`)
  }

  async #syncPod(key: string): Promise<void> {
    const pod = this.#pods.lister.findByKey(key)
    if (!pod || pod.metadata.deletionTimestamp || isDone(pod)) return
    const { namespace, uid, name } = pod.metadata
    const added = new Map<string, string>()
    for (const wanted of missingClaims(pod, claim => this.#claims.lister.find(claim, namespace))) {
      added.set(wanted.name, await this.#claimFor(pod, wanted))
    }
    if (added.size === 0) return await this.#reserve(pod)
    const patch = { metadata: { uid }, status: { resourceClaimStatuses: statusesWith(pod, added) } }
    await this.#context.client.patch(
      podResource,
      { name, namespace: namespace! },
      'application/merge-patch+json',
      patch,
      { subresource: 'status' },
    )
  }

  async #reserve(pod: Pod): Promise<void> {
    const { name, namespace, uid } = pod.metadata
    for (const claim of claimsToReserve(pod, other => this.#claims.lister.find(other, namespace))) {
      const reservedFor = [...(claim.status.reservedFor ?? []), { resource: 'pods', name, uid: uid! }]
      const reserved = { ...claim, status: { ...claim.status, reservedFor } }
      await this.#context.client.update(resourceClaims, reserved, { subresource: 'status' })
    }
  }

  /** Its name. */
  async #claimFor(pod: Pod, wanted: PodResourceClaim): Promise<string> {
    const present = orphanFor(pod, wanted, this.#claims.lister.list(pod.metadata.namespace))
    if (present) return present.metadata.name
    try {
      const templateName = wanted.resourceClaimTemplateName!
      const template = this.#templates.lister.find(templateName, pod.metadata.namespace)
      if (!template)
        throw new Error(
          `resource claim template "${templateName}": resourceclaimtemplate.resource.k8s.io "${templateName}" not found`,
        )
      const made = await this.#context.client.create(resourceClaims, claimFromTemplate(pod, wanted, template))
      return made.metadata.name
    } catch (error) {
      const message = `PodResourceClaim ${wanted.name}: ${messageOf(error)}`
      this.#recorder.event(pod, 'Warning', 'FailedResourceClaimCreation', message)
      throw error
    }
  }

  async #syncClaim(key: string): Promise<void> {
    const claim = this.#claims.lister.findByKey(key)
    if (!claim) return
    const pods = await this.#podsOf(claim)
    const step = decideClaim(claim, name => pods.get(name))
    try {
      await this.#carryOut(claim, step)
    } catch (error) {
      // A newer version is under way, or it is gone.
      if (!isConflict(error) && !isNotFound(error)) throw error
    }
  }

  /** Those that the claim names. What the informer does not know yet may exist: only the server's word counts. */
  async #podsOf(claim: ResourceClaim): Promise<Map<string, Pod>> {
    const { namespace = '' } = claim.metadata
    const owner = controllerOf(claim)
    const named = [
      ...(claim.status?.reservedFor ?? []).filter(
        ({ apiGroup, resource }) => !apiGroup && resource === 'pods',
      ),
      ...(owner?.kind === 'Pod' ? [owner] : []),
    ]
    const found = new Map<string, Pod>()
    for (const { name, uid } of named) {
      const known = this.#pods.lister.find(name, namespace)
      const pod = known?.metadata.uid === uid ? known : await this.#ask(name, namespace)
      if (pod) found.set(name, pod)
    }
    return found
  }

  async #ask(name: string, namespace: string): Promise<Pod | undefined> {
    try {
      return await this.#context.client.get(podResource, { name, namespace })
    } catch (error) {
      if (isNotFound(error)) return undefined
      throw error
    }
  }

  async #carryOut(claim: ResourceClaim, step: ClaimStep): Promise<void> {
    const { client } = this.#context
    const { name, namespace = '', uid } = claim.metadata
    switch (step.do) {
      case 'nothing':
        return
      case 'updateStatus':
        await this.#updateStatus(claim, step)
        return
      case 'removeFinalizer':
        await this.#unguard(claim)
        return
      case 'delete':
        await client.delete(resourceClaims, { name, namespace }, { preconditions: { uid } })
    }
  }

  async #updateStatus(claim: ResourceClaim, { status, isFree }: ClaimStep & { do: 'updateStatus' }) {
    const { client } = this.#context
    const changed = await client.update(resourceClaims, { ...claim, status }, { subresource: 'status' })
    if (isFree) await this.#unguard(changed)
  }

  async #unguard(claim: ResourceClaim): Promise<void> {
    const finalizers = (claim.metadata.finalizers ?? []).filter(one => one !== FINALIZER)
    const metadata = { ...claim.metadata, finalizers }
    await this.#context.client.update(resourceClaims, { ...claim, metadata })
  }
}
