import type { Client } from '../../client/client.ts'
import type { Remains } from './delete-content.ts'

/** Resolves when all that was left of these is gone, or when their watch ends for another reason. */
export async function untilGone(
  client: Client,
  namespace: string,
  { resource, list }: Remains,
  signal: AbortSignal,
): Promise<void> {
  const left = new Set(list.items.map(({ metadata }) => metadata.uid))
  const { resourceVersion } = list.metadata
  const events = client.watch(resource, { namespace, resourceVersion, signal })
  for await (const { type, object } of events) {
    if (type === 'DELETED') left.delete(object.metadata.uid)
    if (left.size === 0) return
  }
}
