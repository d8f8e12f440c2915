// Creates and deletes Pods for a controller, and tells of it by events on their owner. Upstream: RealPodControl.
import type { Draft } from '../../api/kube-object.ts'
import { isDns1123Subdomain } from '../../api/names.ts'
import { pods } from '../../api/resources.ts'
import { isNotFound, StatusError } from '../../api/status-error.ts'
import type { Pod, PodTemplateSpec } from '../../api/types/core-v1.ts'
import type { Client } from '../../client/client.ts'
import type { EventRecorder } from '../../client/events/event-recorder.ts'
import { controllerReference, type Owner } from './claim.ts'

export interface PodControlOptions {
  client: Client
  recorder: Pick<EventRecorder, 'event'>
}

/** A Pod as the template says, owned by `owner`, its name left to the server. Upstream: GetPodFromTemplate. */
export function podFromTemplate(template: PodTemplateSpec, owner: Owner): Draft<Pod> {
  const { labels, annotations, finalizers } = template.metadata ?? {}
  return {
    metadata: {
      name: '',
      namespace: owner.metadata.namespace!,
      generateName: generateName(owner.metadata.name),
      labels: { ...labels },
      ...(annotations && { annotations: { ...annotations } }),
      ...(finalizers && { finalizers: [...finalizers] }),
      ownerReferences: [controllerReference(owner)],
    },
    spec: structuredClone(template.spec),
  }
}

/** A dash if that makes a name. Upstream: getPodsPrefix. */
function generateName(owner: string): string {
  return isDns1123Subdomain(`${owner}-a`).length === 0 ? `${owner}-` : owner
}

/** The namespace goes away: whatever is created there must fail. */
export function isNamespaceTerminating(error: unknown): boolean {
  if (!(error instanceof StatusError)) return false
  return (error.status.details?.causes ?? []).some(({ reason }) => reason === 'NamespaceTerminating')
}

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

export class PodControl {
  readonly #options: PodControlOptions

  constructor(options: PodControlOptions) {
    this.#options = options
  }

  /** Throws what the server answers. */
  async create(pod: Draft<Pod>, owner: Owner): Promise<Pod> {
    const { client, recorder } = this.#options
    try {
      const created = await client.create(pods, pod)
      recorder.event(owner, 'Normal', 'SuccessfulCreate', `Created pod: ${created.metadata.name}`)
      return created
    } catch (error) {
      if (!isNamespaceTerminating(error)) {
        recorder.event(owner, 'Warning', 'FailedCreate', `Error creating: ${messageOf(error)}`)
      }
      throw error
    }
  }

  /** Throws what the server answers, NotFound among it. */
  async delete(pod: Pod, owner: Owner): Promise<void> {
    const { client, recorder } = this.#options
    const { name, namespace } = pod.metadata
    try {
      await client.delete(pods, { name, namespace: namespace! })
      recorder.event(owner, 'Normal', 'SuccessfulDelete', `Deleted pod: ${name}`)
    } catch (error) {
      if (!isNotFound(error)) {
        recorder.event(owner, 'Warning', 'FailedDelete', `Error deleting: ${messageOf(error)}`)
      }
      throw error
    }
  }
}
