// The revisions that one owner has on the server: adopted, created, numbered anew, forgotten.
// Upstream: pkg/controller/history/controller_history.go.
import type { Resource } from '../../api/kube-object.ts'
import { type LabelMatcher, matcherOf } from '../../api/labels.ts'
import { controllerRevisions } from '../../api/resources.ts'
import { isAlreadyExists, isNotFound } from '../../api/status-error.ts'
import type { ControllerRevision } from '../../api/types/apps-v1.ts'
import type { LabelSelector, ObjectMeta } from '../../api/types/meta-v1.ts'
import type { Client } from '../../client/client.ts'
import type { Lister } from '../../client/lister.ts'
import { controllerReference, type Owner } from '../pod-control/claim.ts'
import { claimObjects } from '../pod-control/claim-objects.ts'
import { claimable } from '../pod-control/owned-index.ts'
import { byRevision, hasData, type RevisionData } from './revision.ts'

export interface RevisionDraft {
  labels: Record<string, string>
  annotations: Record<string, string> | undefined
  data: RevisionData
  revision: number
}

/** How a kind calls its revisions; another name for each count. */
export type RevisionNaming = (collisionCount: number) => { name: string; labels: Record<string, string> }

type OwnerObject = Owner & { spec: { selector: LabelSelector | null } }

export class RevisionHistory<O extends OwnerObject> {
  readonly #client: Client
  readonly #lister: Lister<ControllerRevision>
  readonly #ownerResource: Resource<O>

  constructor(client: Client, lister: Lister<ControllerRevision>, ownerResource: Resource<O>) {
    this.#client = client
    this.#lister = lister
    this.#ownerResource = ownerResource
  }

  /** Those of the owner, and those of nobody that it selects, which it adopts. The oldest first. */
  async claim(owner: O): Promise<ControllerRevision[]> {
    const selects: LabelMatcher = matcherOf(owner.spec.selector ?? undefined)
    const revisions = await claimObjects<ControllerRevision, { metadata: ObjectMeta }>({
      client: this.#client,
      owner,
      ownerResource: this.#ownerResource,
      resource: controllerRevisions,
      objects: claimable(this.#lister, owner),
      selects,
    })
    return revisions.sort(byRevision)
  }

  /** Under the first name that is free, or that has the same data already. Upstream: CreateControllerRevision. */
  async create(
    owner: O,
    draft: RevisionDraft,
    naming: RevisionNaming,
    collisionCount: number,
  ): Promise<{ revision: ControllerRevision; collisionCount: number }> {
    for (let count = collisionCount; ; count++) {
      const { name, labels } = naming(count)
      try {
        return { revision: await this.#createNamed(owner, draft, name, labels), collisionCount: count }
      } catch (error) {
        if (!isAlreadyExists(error)) throw error
      }
      const existing = await this.#client.get(controllerRevisions, {
        name,
        namespace: owner.metadata.namespace!,
      })
      if (hasData(existing, draft.data)) return { revision: existing, collisionCount: count }
    }
  }

  #createNamed(
    owner: O,
    { labels, annotations, data, revision }: RevisionDraft,
    name: string,
    ownLabels: Record<string, string>,
  ): Promise<ControllerRevision> {
    return this.#client.create(controllerRevisions, {
      metadata: {
        name,
        namespace: owner.metadata.namespace!,
        labels: { ...labels, ...ownLabels },
        ...(annotations && { annotations: { ...annotations } }),
        ownerReferences: [controllerReference(owner)],
      },
      data,
      revision,
    })
  }

  /** An old revision that comes back becomes the newest. */
  renumber(revision: ControllerRevision, number: number): Promise<ControllerRevision> {
    return this.#client.update(controllerRevisions, { ...revision, revision: number })
  }

  async forget(revisions: readonly ControllerRevision[]): Promise<void> {
    for (const { metadata } of revisions) {
      const { name, namespace, uid } = metadata
      try {
        const preconditions = { uid }
        await this.#client.delete(controllerRevisions, { name, namespace: namespace! }, { preconditions })
      } catch (error) {
        if (!isNotFound(error)) throw error
      }
    }
  }
}

/** Those beyond the limit, the oldest first, without the ones that Pods or the owner still have. */
export function revisionsToForget(
  revisions: readonly ControllerRevision[],
  inUse: (revision: ControllerRevision) => boolean,
  limit: number,
): ControllerRevision[] {
  const unused = revisions.filter(revision => !inUse(revision)).sort(byRevision)
  return unused.slice(0, Math.max(unused.length - limit, 0))
}
