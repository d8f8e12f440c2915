// Keeps a ServiceAccount "default" in every active namespace. Upstream: pkg/controller/serviceaccount.
import { serviceAccounts } from '../../api/resources.ts'
import type { ServiceAccount } from '../../api/types/core-v1.ts'
import type { ControllerContext } from '../controller-context.ts'
import { keepInEachNamespace } from '../each-namespace.ts'

export function runServiceAccountController(context: ControllerContext, signal: AbortSignal): Promise<void> {
  const wanted = (namespace: string, present: ServiceAccount | undefined) =>
    present ? undefined : ({ metadata: { name: 'default', namespace } } as ServiceAccount)
  return keepInEachNamespace(context, { resource: serviceAccounts, name: 'default', wanted }, signal)
}
