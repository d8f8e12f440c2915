// Tells in the status of each ValidatingAdmissionPolicy that it has been looked at. Expressions were read when the
// policy was written; their types are known only when they meet an object.
// Upstream: pkg/controller/validatingadmissionpolicystatus.
import { validatingAdmissionPolicies } from '../../api/resources.ts'
import type { ValidatingAdmissionPolicy } from '../../api/types/admissionregistration-v1.ts'
import { runController } from '../../client/controller-loop.ts'
import { Informer } from '../../client/informer.ts'
import { WorkQueue } from '../../client/workqueue.ts'
import type { ControllerContext } from '../controller-context.ts'

/** Runs until the signal aborts. */
export async function runAdmissionPolicyStatus(
  { client, clock, log }: ControllerContext,
  signal: AbortSignal,
): Promise<void> {
  const queue = new WorkQueue<string>({ clock })
  const policies = new Informer<ValidatingAdmissionPolicy>({
    client,
    resource: validatingAdmissionPolicies,
    clock,
    log,
  })
  const enqueue = ({ metadata }: ValidatingAdmissionPolicy) => queue.add(metadata.name)
  policies.addHandler({ add: enqueue, update: (_, policy) => enqueue(policy) })
  const reconcile = async (name: string) => {
    const policy = policies.lister.find(name)
    const generation = policy?.metadata.generation
    if (!policy || policy.status?.observedGeneration === generation) return
    const status = {
      ...policy.status,
      typeChecking: {},
      ...(generation && { observedGeneration: generation }),
    }
    await client.update(validatingAdmissionPolicies, { ...policy, status }, { subresource: 'status' })
  }
  await runController({ informers: [policies], queue, reconcile, signal, log })
}
