// A pod stays five minutes on a node that is not ready or unreachable, unless it says otherwise.
// Upstream: plugin/pkg/admission/defaulttolerationseconds.
import type { Pod, Toleration } from '../../api/types/core-v1.ts'
import { type AdmissionPlugin, isResource } from './admission.ts'

const SECONDS = 300
const TAINTS = ['node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable']

export const defaultTolerationSeconds: AdmissionPlugin = {
  name: 'DefaultTolerationSeconds',
  admit(attributes) {
    const { operation, object, subresource } = attributes
    if (!isResource(attributes, 'pods') || subresource || !object) return
    if (operation !== 'CREATE' && operation !== 'UPDATE') return
    const { spec } = object as unknown as Pod
    const missing = TAINTS.filter(taint => !spec.tolerations?.some(toleration => covers(toleration, taint)))
    if (missing.length > 0) spec.tolerations = [...(spec.tolerations ?? []), ...missing.map(tolerate)]
  },
}

/** Without a key or an effect, a toleration covers all of them. */
function covers({ key, effect }: Toleration, taint: string): boolean {
  return (!key || key === taint) && (!effect || effect === 'NoExecute')
}

function tolerate(key: string): Toleration {
  return { key, operator: 'Exists', effect: 'NoExecute', tolerationSeconds: SECONDS }
}
