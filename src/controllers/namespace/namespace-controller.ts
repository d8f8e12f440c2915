// Empties a namespace that is being deleted and then lets it go. Upstream: pkg/controller/namespace/deletion.
import { builtinResources, namespaces } from '../../api/resources.ts'
import { isConflict, isMethodNotAllowed, isNotFound } from '../../api/status-error.ts'
import type { Namespace, NamespaceCondition } from '../../api/types/core-v1.ts'
import { type Requeue, runReconciler } from '../../client/controller-loop.ts'
import { Informer } from '../../client/informer.ts'
import { WorkQueue } from '../../client/workqueue.ts'
import type { ControllerContext } from '../controller-context.ts'
import { type Remains, remainsConditions } from './remains-conditions.ts'

const FINALIZER = 'kubernetes'
/** How soon to look again while content is on its way out. */
const LOOK_AGAIN_MS = 500

export async function runNamespaceController(
  { client, clock, log }: ControllerContext,
  signal: AbortSignal,
): Promise<void> {
  const queue = new WorkQueue<string>({ clock })
  const informer = new Informer<Namespace>({ client, resource: namespaces, clock, log })
  const enqueue = ({ metadata }: Namespace) => {
    if (metadata.deletionTimestamp) queue.add(metadata.name)
  }
  informer.addHandler({ add: enqueue, update: (_, namespace) => enqueue(namespace) })

  const reconcile = async (name: string): Promise<Requeue | undefined> => {
    const namespace = informer.lister.find(name)
    if (!namespace?.metadata.deletionTimestamp || !namespace.spec.finalizers?.includes(FINALIZER))
      return undefined
    const remains = await deleteContent(name)
    if (remains.length === 0) {
      await finalize(namespace)
      return undefined
    }
    await writeConditions(namespace, remains)
    return { requeueAfterMs: LOOK_AGAIN_MS }
  }

  /** Asks for the deletion of everything in the namespace; answers what is still there. */
  async function deleteContent(namespace: string): Promise<Remains[]> {
    const remains: Remains[] = []
    for (const resource of builtinResources) {
      if (!resource.namespaced || !resource.verbs.includes('deletecollection')) continue
      const before = await client.list(resource, { namespace })
      if (before.items.length === 0) continue
      await client
        .deleteCollection(resource, { namespace }, { propagationPolicy: 'Background' })
        .catch(ignoreUnsupported)
      const { items } = await client.list(resource, { namespace })
      if (items.length > 0) remains.push({ resource, objects: items })
    }
    return remains
  }

  async function finalize(namespace: Namespace): Promise<void> {
    const finalizers = namespace.spec.finalizers!.filter(one => one !== FINALIZER)
    try {
      await client.update(
        namespaces,
        { ...namespace, spec: { ...namespace.spec, finalizers } },
        { subresource: 'finalize' },
      )
    } catch (error) {
      if (!isNotFound(error) && !isConflict(error)) throw error
    }
  }

  async function writeConditions(namespace: Namespace, remains: readonly Remains[]): Promise<void> {
    const now = new Date(clock.now()).toISOString().replace(/\.\d+Z$/, 'Z')
    const old = namespace.status.conditions ?? []
    const conditions: NamespaceCondition[] = remainsConditions(remains, old, now)
    if (JSON.stringify(conditions) === JSON.stringify(old)) return
    const next = { ...namespace, status: { ...namespace.status, conditions } }
    await client.update(namespaces, next, { subresource: 'status' }).catch(error => {
      if (!isNotFound(error) && !isConflict(error)) throw error
    })
  }

  const running = informer.run(signal)
  await Promise.race([informer.synced, running])
  await Promise.all([running, runReconciler({ queue, reconcile, concurrency: 4, signal, log })])
}

function ignoreUnsupported(error: unknown): void {
  if (!isNotFound(error) && !isMethodNotAllowed(error)) throw error
}
