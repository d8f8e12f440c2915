// A new node takes no pods until the node lifecycle controller has seen that it is ready.
// Upstream: plugin/pkg/admission/nodetaint.
import type { Node, Taint } from '../../api/types/core-v1.ts'
import { type AdmissionPlugin, isResource } from './admission.ts'

const NOT_READY: Taint = { key: 'node.kubernetes.io/not-ready', effect: 'NoSchedule' }

export const taintNodesByCondition: AdmissionPlugin = {
  name: 'TaintNodesByCondition',
  admit(attributes) {
    const { operation, subresource, object } = attributes
    if (!isResource(attributes, 'nodes') || operation !== 'CREATE' || subresource) return
    const node = object as unknown as Node
    const taints = node.spec?.taints ?? []
    if (taints.some(({ key, effect }) => key === NOT_READY.key && effect === NOT_READY.effect)) return
    node.spec = { ...node.spec, taints: [...taints, { ...NOT_READY }] }
  },
}
