// Keeps the ConfigMap kube-root-ca.crt in every active namespace: what pods trust when they call the API.
// Upstream: pkg/controller/certificates/rootcacertpublisher.
import { configMaps } from '../../api/resources.ts'
import type { ConfigMap } from '../../api/types/core-v1.ts'
import type { ControllerContext } from '../controller-context.ts'
import { keepInEachNamespace } from '../each-namespace.ts'

const NAME = 'kube-root-ca.crt'
const DESCRIPTION =
  'Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes clusters.'

/** `certificate` is the cluster authority's, in PEM. */
export function runRootCaController(
  context: ControllerContext,
  certificate: string,
  signal: AbortSignal,
): Promise<void> {
  const wanted = (namespace: string, present: ConfigMap | undefined): ConfigMap | undefined => {
    if (present?.data?.['ca.crt'] === certificate) return undefined
    const annotations = { 'kubernetes.io/description': DESCRIPTION }
    const metadata = present ? { ...present.metadata, annotations } : { name: NAME, namespace, annotations }
    return { metadata, data: { 'ca.crt': certificate } } as unknown as ConfigMap
  }
  return keepInEachNamespace(context, { resource: configMaps, name: NAME, wanted }, signal)
}
