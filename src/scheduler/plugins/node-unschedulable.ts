import { toleratesTaint } from '../../api/pod/tolerations.ts'
import { type Plugin, unresolvable } from '../framework.ts'

const CORDONED = { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' } as const

/** Turns away cordoned nodes. Upstream: nodeunschedulable. */
export const nodeUnschedulable: Plugin = {
  name: 'NodeUnschedulable',
  wakesOn: ['nodeAdded', 'nodeChanged'],
  filter(pod, { node }) {
    if (!node.spec.unschedulable || toleratesTaint(pod.spec.tolerations ?? [], CORDONED)) return undefined
    return unresolvable('node(s) were unschedulable')
  },
}
