import type { Draft, Resource } from '../api/kube-object.ts'
import { isConflict, isNotFound } from '../api/status-error.ts'
import type { ObjectMeta } from '../api/types/meta-v1.ts'
import type { Client } from '../client/client.ts'

/**
 * Writes a status that nobody else writes: in the way of a newer version it is tried once more on that one. An object
 * that is gone, or another one of the same name, gets none.
 */
export async function writeStatus<T extends { metadata: ObjectMeta }>(
  client: Client,
  resource: Resource<T>,
  object: T,
  withStatus: (object: T) => Draft<T>,
): Promise<void> {
  const subresource = { subresource: 'status' }
  try {
    await client.update(resource, withStatus(object), subresource)
  } catch (error) {
    if (isNotFound(error)) return
    if (!isConflict(error)) throw error
    const { name, namespace, uid } = object.metadata
    const fresh = await client.get(resource, { name, namespace: namespace! })
    if (fresh.metadata.uid !== uid) return
    await client.update(resource, withStatus(fresh), subresource)
  }
}
