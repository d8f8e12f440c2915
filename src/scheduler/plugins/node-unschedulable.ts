import { toleratesTaint } from '../../api/pod/tolerations.ts'
import type { Pod } from '../../api/types/core-v1.ts'
import { type Plugin, unresolvable } from '../framework.ts'

const CORDONED = { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' } as const

/** Turns away cordoned nodes. Upstream: nodeunschedulable. */
export const nodeUnschedulable: Plugin = {
  name: 'NodeUnschedulable',
  filter(pod, { node }) {
    if (!node.spec.unschedulable || toleratesCordon(pod)) return undefined
    return unresolvable('node(s) were unschedulable')
  },
  mayHelp(event, pod) {
    if (event.what === 'podChanged') return event.aspects.has('tolerations') && toleratesCordon(pod)
    if (event.what === 'nodeAdded') return !event.node.spec.unschedulable
    return (
      event.what === 'nodeChanged' && event.aspects.has('unschedulable') && !event.node.spec.unschedulable
    )
  },
}

const toleratesCordon = ({ spec }: Pod) => toleratesTaint(spec.tolerations ?? [], CORDONED)
