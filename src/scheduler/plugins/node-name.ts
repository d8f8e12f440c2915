import { type Plugin, unresolvable } from '../framework.ts'

/** Upstream: nodename. */
export const nodeName: Plugin = {
  name: 'NodeName',
  wakesOn: ['nodeAdded'],
  filter(pod, { name }) {
    if (!pod.spec.nodeName || pod.spec.nodeName === name) return undefined
    return unresolvable("node(s) didn't match the requested node name")
  },
}
