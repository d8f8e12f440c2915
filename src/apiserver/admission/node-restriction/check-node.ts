// What a kubelet may change of its node: neither taints nor owners, and of labels only its own.
import { isDeepStrictEqual } from 'node:util'
import type { Node } from '../../../api/types/core-v1.ts'
import { goQuote } from '../../../api/validation/field-error.ts'
import { type AdmissionAttributes, refuse } from '../admission.ts'

export function checkNode(nodeName: string, attributes: AdmissionAttributes): void {
  const { operation, object, oldObject, name } = attributes
  const requested = name || object?.metadata.name || ''
  if (requested !== nodeName) {
    throw refuse(attributes, `node ${goQuote(nodeName)} is not allowed to modify node ${goQuote(requested)}`)
  }
  const node = object as unknown as Node
  if (operation === 'CREATE') {
    if (node.spec?.configSource)
      throw refuse(
        attributes,
        `node ${goQuote(nodeName)} is not allowed to create pods with a non-nil configSource`,
      )
    const labels = forbiddenLabels(Object.keys(node.metadata.labels ?? {}))
    if (labels.length > 0) {
      throw refuse(
        attributes,
        `node ${goQuote(nodeName)} is not allowed to set the following labels: ${labels.join(', ')}`,
      )
    }
    return
  }
  if (operation === 'UPDATE') checkNodeUpdate(nodeName, attributes, node, oldObject as unknown as Node)
}

function checkNodeUpdate(nodeName: string, attributes: AdmissionAttributes, node: Node, old: Node): void {
  const { configSource } = node.spec ?? {}
  if (configSource && !isDeepStrictEqual(configSource, old.spec?.configSource)) {
    throw refuse(
      attributes,
      `node ${goQuote(nodeName)} is not allowed to update configSource to a new non-nil configSource`,
    )
  }
  if (!isDeepStrictEqual(node.spec?.taints ?? [], old.spec?.taints ?? [])) {
    throw refuse(attributes, `node ${goQuote(nodeName)} is not allowed to modify taints`)
  }
  if (!isDeepStrictEqual(node.metadata.ownerReferences ?? [], old.metadata.ownerReferences ?? [])) {
    throw refuse(attributes, `node ${goQuote(nodeName)} is not allowed to modify ownerReferences`)
  }
  const [labels, before] = [node.metadata.labels ?? {}, old.metadata.labels ?? {}]
  const changed = [...new Set([...Object.keys(labels), ...Object.keys(before)])].filter(
    key => labels[key] !== before[key],
  )
  const refused = forbiddenLabels(changed)
  if (refused.length > 0) {
    throw refuse(attributes, `is not allowed to modify labels: ${refused.join(', ')}`)
  }
}

const KUBELET_LABELS = new Set([
  'kubernetes.io/hostname',
  'topology.kubernetes.io/zone',
  'topology.kubernetes.io/region',
  'failure-domain.beta.kubernetes.io/zone',
  'failure-domain.beta.kubernetes.io/region',
  'kubernetes.io/os',
  'kubernetes.io/arch',
  'node.kubernetes.io/instance-type',
  'beta.kubernetes.io/instance-type',
  'beta.kubernetes.io/os',
  'beta.kubernetes.io/arch',
])
const KUBELET_NAMESPACES = ['kubelet.kubernetes.io', 'node.kubernetes.io']

/** Labels under kubernetes.io and k8s.io that are not a kubelet's to set. Upstream: getModifiedLabels and the rest. */
function forbiddenLabels(keys: readonly string[]): string[] {
  return keys.filter(isForbiddenLabel).sort()
}

function isForbiddenLabel(key: string): boolean {
  const slash = key.indexOf('/')
  if (slash < 0) return false
  const namespace = key.slice(0, slash)
  const within = (domain: string) => namespace === domain || namespace.endsWith(`.${domain}`)
  if (within('node-restriction.kubernetes.io')) return true
  if (!within('kubernetes.io') && !within('k8s.io')) return false
  return !KUBELET_LABELS.has(key) && !KUBELET_NAMESPACES.some(within)
}
