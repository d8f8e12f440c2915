// Takes bootstrap tokens away when their time is over. Upstream: pkg/controller/bootstrap/tokencleaner.go.
import { BOOTSTRAP_TOKEN_TYPE, expiresAt } from '../../api/bootstrap-token.ts'
import { secrets } from '../../api/resources.ts'
import { isConflict, isNotFound } from '../../api/status-error.ts'
import type { Secret } from '../../api/types/core-v1.ts'
import { type Requeue, runController } from '../../client/controller-loop.ts'
import { Informer } from '../../client/informer.ts'
import { keyOf, splitKey } from '../../client/lister.ts'
import { WorkQueue } from '../../client/workqueue.ts'
import type { ControllerContext } from '../controller-context.ts'

/** Runs until the signal aborts. */
export async function runTokenCleaner(
  { client, clock, log }: ControllerContext,
  signal: AbortSignal,
): Promise<void> {
  const queue = new WorkQueue<string>({ clock })
  const tokens = new Informer<Secret>({
    client,
    clock,
    log,
    resource: secrets,
    namespace: 'kube-system',
    fieldSelector: `type=${BOOTSTRAP_TOKEN_TYPE}`,
  })
  const enqueue = (secret: Secret) => queue.add(keyOf(secret))
  tokens.addHandler({ add: enqueue, update: (_, secret) => enqueue(secret) })
  const reconcile = async (key: string): Promise<Requeue | undefined> => {
    const secret = tokens.lister.findByKey(key)
    if (!secret) return undefined
    const left = expiresAt(secret) - clock.now()
    if (left > 0) return Number.isFinite(left) ? { requeueAfterMs: left } : undefined
    const { uid } = secret.metadata
    try {
      await client.delete(secrets, splitKey(key), { preconditions: { uid } })
    } catch (error) {
      if (!isNotFound(error) && !isConflict(error)) throw error
    }
    return undefined
  }
  await runController({ informers: [tokens], queue, reconcile, signal, log })
}
