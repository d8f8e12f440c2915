// The loop that the controllers of certificate requests share.
import { certificateSigningRequests } from '../../api/resources.ts'
import type { CertificateSigningRequest } from '../../api/types/certificates-v1.ts'
import { runController } from '../../client/controller-loop.ts'
import { Informer } from '../../client/informer.ts'
import { WorkQueue } from '../../client/workqueue.ts'
import type { ControllerContext } from '../controller-context.ts'

/** Runs until the signal aborts. */
export async function reconcileRequests(
  { client, clock, log }: ControllerContext,
  signal: AbortSignal,
  handle: (request: CertificateSigningRequest) => Promise<void>,
): Promise<void> {
  const queue = new WorkQueue<string>({ clock })
  const requests = new Informer<CertificateSigningRequest>({
    client,
    resource: certificateSigningRequests,
    clock,
    log,
  })
  const enqueue = ({ metadata }: CertificateSigningRequest) => queue.add(metadata.name)
  requests.addHandler({ add: enqueue, update: (_, request) => enqueue(request) })
  const reconcile = async (name: string) => {
    const request = requests.lister.find(name)
    if (request) await handle(request)
  }
  await runController({ informers: [requests], queue, reconcile, signal, log })
}
