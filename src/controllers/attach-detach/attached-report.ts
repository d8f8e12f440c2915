// What a Node's status tells of volumes that are attached to it: its kubelet mounts nothing else. What is about to be
// detached is taken out before. Upstream: attachdetach/statusupdater.
import { nodes as nodeResource } from '../../api/resources.ts'
import { isNotFound } from '../../api/status-error.ts'
import type { AttachedVolume, Node } from '../../api/types/core-v1.ts'
import { same } from '../../api/validation/field-error.ts'
import type { Client } from '../../client/client.ts'

/** Answers the Node as it is afterwards; undefined when it is gone. */
export async function reportAttached(
  client: Client,
  nodeName: string,
  uniqueNames: readonly string[],
  known: Node | undefined,
): Promise<Node | undefined> {
  const wanted: AttachedVolume[] = [...new Set(uniqueNames)].sort().map(name => ({ name, devicePath: '' }))
  if (known && same(known.status.volumesAttached ?? [], wanted)) return known
  const patch = { status: { volumesAttached: wanted.length > 0 ? wanted : null } }
  try {
    return await client.patch(nodeResource, { name: nodeName }, 'application/merge-patch+json', patch, {
      subresource: 'status',
    })
  } catch (error) {
    if (isNotFound(error)) return undefined
    throw error
  }
}
