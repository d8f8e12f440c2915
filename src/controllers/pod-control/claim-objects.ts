// Carries out what decideClaims says, and tells which objects are the owner's now.
import type { Resource } from '../../api/kube-object.ts'
import type { LabelMatcher } from '../../api/labels.ts'
import { isInvalid, isNotFound } from '../../api/status-error.ts'
import type { ObjectMeta } from '../../api/types/meta-v1.ts'
import type { Client } from '../../client/client.ts'
import { controllerReference, decideClaims, type Owner } from './claim.ts'

const STRATEGIC = 'application/strategic-merge-patch+json'

export interface ClaimOptions<T, O> {
  client: Client
  owner: Owner
  /** Asked anew before anything is adopted: the owner known here may be gone. */
  ownerResource: Resource<O>
  resource: Resource<T>
  objects: Iterable<T>
  selects: LabelMatcher
  /** Put on what is adopted. */
  finalizer?: string
}

/** Throws when an adoption or release fails; what was gone already does not count as a failure. */
export async function claimObjects<T extends { metadata: ObjectMeta }, O extends { metadata: ObjectMeta }>(
  options: ClaimOptions<T, O>,
): Promise<T[]> {
  const { owned, adopt, release } = decideClaims(options.owner, options.objects, options.selects)
  if (adopt.length > 0) await mustStand(options)
  const adopted = await Promise.all(adopt.map(object => adoptObject(options, object)))
  await Promise.all(release.map(object => releaseObject(options, object)))
  return [...owned, ...adopted.filter(object => object !== undefined)]
}

/** Upstream: RecheckDeletionTimestamp. */
async function mustStand<T, O extends { metadata: ObjectMeta }>({
  client,
  owner,
  ownerResource,
}: ClaimOptions<T, O>): Promise<void> {
  const { name, namespace, uid } = owner.metadata
  const fresh = await client.get(ownerResource, { name, ...(namespace && { namespace }) })
  if (fresh.metadata.uid !== uid) {
    throw new Error(
      `original ${owner.kind} ${namespace}/${name} is gone: got uid ${fresh.metadata.uid}, wanted ${uid}`,
    )
  }
  if (fresh.metadata.deletionTimestamp) {
    throw new Error(`${namespace}/${name} has just been deleted at ${fresh.metadata.deletionTimestamp}`)
  }
}

async function adoptObject<T extends { metadata: ObjectMeta }, O>(
  { client, owner, resource, finalizer }: ClaimOptions<T, O>,
  { metadata: { name, namespace, uid } }: T,
): Promise<T | undefined> {
  const ownerReferences = [controllerReference(owner)]
  const patch = { metadata: { ownerReferences, uid, ...(finalizer && { finalizers: [finalizer] }) } }
  try {
    return await client.patch(resource, { name, ...(namespace && { namespace }) }, STRATEGIC, patch)
  } catch (error) {
    if (isNotFound(error)) return undefined
    throw error
  }
}

async function releaseObject<T extends { metadata: ObjectMeta }, O>(
  { client, owner, resource }: ClaimOptions<T, O>,
  { metadata: { name, namespace, uid } }: T,
): Promise<void> {
  const patch = { metadata: { uid, ownerReferences: [{ $patch: 'delete', uid: owner.metadata.uid }] } }
  try {
    await client.patch(resource, { name, ...(namespace && { namespace }) }, STRATEGIC, patch)
  } catch (error) {
    // Gone, or without owners already, or another object of that name by now.
    if (!isNotFound(error) && !isInvalid(error)) throw error
  }
}
