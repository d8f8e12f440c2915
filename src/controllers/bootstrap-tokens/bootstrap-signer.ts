// Signs kube-public/cluster-info, where somebody made it, with every bootstrap token that is for signing.
// Upstream: pkg/controller/bootstrap/bootstrapsigner.go.
import { BOOTSTRAP_TOKEN_TYPE, expiresAt, tokenForUse } from '../../api/bootstrap-token.ts'
import { configMaps, secrets } from '../../api/resources.ts'
import { isConflict } from '../../api/status-error.ts'
import type { ConfigMap, Secret } from '../../api/types/core-v1.ts'
import { type Requeue, runController } from '../../client/controller-loop.ts'
import { Informer } from '../../client/informer.ts'
import { WorkQueue } from '../../client/workqueue.ts'
import type { ControllerContext } from '../controller-context.ts'
import { signedData } from './signature.ts'

const CLUSTER_INFO = { namespace: 'kube-public', name: 'cluster-info' }

/** Runs until the signal aborts. */
export async function runBootstrapSigner(
  { client, clock, log }: ControllerContext,
  signal: AbortSignal,
): Promise<void> {
  const queue = new WorkQueue<string>({ clock })
  const parts = { client, clock, log }
  const maps = new Informer<ConfigMap>({
    ...parts,
    resource: configMaps,
    namespace: CLUSTER_INFO.namespace,
    fieldSelector: `metadata.name=${CLUSTER_INFO.name}`,
  })
  const tokens = new Informer<Secret>({
    ...parts,
    resource: secrets,
    namespace: 'kube-system',
    fieldSelector: `type=${BOOTSTRAP_TOKEN_TYPE}`,
  })
  const again = () => queue.add(CLUSTER_INFO.name)
  for (const informer of [maps, tokens]) informer.addHandler({ add: again, update: again, delete: again })
  const reconcile = async (): Promise<Requeue | undefined> => {
    const map = maps.lister.find(CLUSTER_INFO.name, CLUSTER_INFO.namespace)
    const held = tokens.lister.list()
    const good = held.flatMap(secret => tokenForUse(secret, 'signing', clock.now()) ?? [])
    const data = map && !map.metadata.deletionTimestamp && signedData(map.data ?? {}, good)
    // Whoever changed it meanwhile is seen, and then it is judged anew.
    if (data) await client.update(configMaps, { ...map, data }).catch(unless(isConflict))
    const next = Math.min(...held.map(expiresAt).filter(end => end > clock.now()))
    return Number.isFinite(next) ? { requeueAfterMs: next - clock.now() } : undefined
  }
  await runController({ informers: [maps, tokens], queue, reconcile, signal, log })
}

const unless = (isFine: (error: unknown) => boolean) => (error: unknown) => {
  if (!isFine(error)) throw error
}
