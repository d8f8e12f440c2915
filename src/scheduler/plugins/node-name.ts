import { type Plugin, unresolvable } from '../framework.ts'

/** Upstream: nodename. */
export const nodeName: Plugin = {
  name: 'NodeName',
  prepare: pod => ({ skip: !pod.spec.nodeName }),
  filter(pod, { name }) {
    return pod.spec.nodeName === name
      ? undefined
      : unresolvable("node(s) didn't match the requested node name")
  },
  mayHelp: (event, pod) => event.what === 'nodeAdded' && event.node.metadata.name === pod.spec.nodeName,
}
