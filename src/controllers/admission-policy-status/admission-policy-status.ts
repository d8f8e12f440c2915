// Tells in the status of each ValidatingAdmissionPolicy what is wrong with the types in its expressions, as far as the
// resources that it names tell.
// Upstream: pkg/controller/validatingadmissionpolicystatus.
import { policyWarnings, type TypeSource } from '../../api/cel/policy-types.ts'
import { validatingAdmissionPolicies } from '../../api/resources.ts'
import type { ValidatingAdmissionPolicy } from '../../api/types/admissionregistration-v1.ts'
import { runController } from '../../client/controller-loop.ts'
import { Informer } from '../../client/informer.ts'
import { WorkQueue } from '../../client/workqueue.ts'
import type { ControllerContext } from '../controller-context.ts'

/** Runs until the signal aborts. */
export async function runAdmissionPolicyStatus(
  { client, clock, log }: ControllerContext,
  typesOf: TypeSource,
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
    const expressionWarnings = policyWarnings(policy, typesOf)
    const status = {
      ...policy.status,
      typeChecking: expressionWarnings.length > 0 ? { expressionWarnings } : {},
      ...(generation && { observedGeneration: generation }),
    }
    await client.update(validatingAdmissionPolicies, { ...policy, status }, { subresource: 'status' })
  }
  await runController({ informers: [policies], queue, reconcile, signal, log })
}
