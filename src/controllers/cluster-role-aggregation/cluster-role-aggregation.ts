// Keeps the rules of ClusterRoles that collect those of others (admin, edit, view).
// Upstream: pkg/controller/clusterroleaggregation.
import { isDeepStrictEqual } from 'node:util'
import { withCollected } from '../../api/rbac/aggregate-roles.ts'
import { clusterRoles } from '../../api/resources.ts'
import type { ClusterRole } from '../../api/types/rbac-v1.ts'
import { runController } from '../../client/controller-loop.ts'
import { Informer } from '../../client/informer.ts'
import { WorkQueue } from '../../client/workqueue.ts'
import type { ControllerContext } from '../controller-context.ts'

/** Runs until the signal aborts. */
export async function runClusterRoleAggregation(
  { client, clock, log }: ControllerContext,
  signal: AbortSignal,
): Promise<void> {
  const queue = new WorkQueue<string>({ clock })
  const roles = new Informer<ClusterRole>({ client, resource: clusterRoles, clock, log })
  // Any role may be one that others collect.
  const enqueueAll = () => {
    for (const role of roles.lister.list()) if (role.aggregationRule) queue.add(role.metadata.name)
  }
  roles.addHandler({ add: enqueueAll, update: enqueueAll, delete: enqueueAll })
  const reconcile = async (name: string) => {
    const role = roles.lister.find(name)
    if (!role?.aggregationRule) return
    const wanted = withCollected(role, roles.lister.list())
    if (!isDeepStrictEqual(wanted.rules ?? [], role.rules ?? [])) await client.update(clusterRoles, wanted)
  }
  await runController({ informers: [roles], queue, reconcile, signal, log })
}
