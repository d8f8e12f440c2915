import type { Node } from '../../api/types/core-v1.ts'
import { ageOf, NONE } from './cells.ts'
import { AGE, column, NAME, type TableKind, wide } from './table.ts'

export const nodeTable: TableKind<Node> = {
  columns: [
    NAME,
    column('Status', 'Whether the node is ready, and whether pods may be scheduled to it.'),
    column('Roles', "Roles that the node's labels give it."),
    AGE,
    column('Version', 'Version of the kubelet.'),
    wide('Internal-IP', 'Address inside the cluster.'),
    wide('External-IP', 'Address outside the cluster.'),
    wide('OS-Image', 'Operating system, as it names itself.'),
    wide('Kernel-Version', 'Version of the kernel.'),
    wide('Container-Runtime', 'Container runtime and its version.'),
  ],
  cells: (node, now) => {
    const info = node.status.nodeInfo
    return [
      node.metadata.name,
      statusOf(node),
      rolesOf(node) || NONE,
      ageOf(node.metadata, now),
      info?.kubeletVersion ?? '',
      addressOf(node, 'InternalIP'),
      addressOf(node, 'ExternalIP'),
      info?.osImage || '<unknown>',
      info?.kernelVersion || '<unknown>',
      info?.containerRuntimeVersion || '<unknown>',
    ]
  },
}

function statusOf({ spec, status }: Node): string {
  const ready = status.conditions?.find(({ type }) => type === 'Ready')
  const word = ready ? (ready.status === 'True' ? 'Ready' : 'NotReady') : 'Unknown'
  return spec.unschedulable ? `${word},SchedulingDisabled` : word
}

const ROLE_PREFIX = 'node-role.kubernetes.io/'

function rolesOf({ metadata }: Node): string {
  const roles = new Set<string>()
  for (const [key, value] of Object.entries(metadata.labels ?? {})) {
    if (key.startsWith(ROLE_PREFIX) && key.length > ROLE_PREFIX.length)
      roles.add(key.slice(ROLE_PREFIX.length))
    if (key === 'kubernetes.io/role' && value) roles.add(value)
  }
  return [...roles].sort().join(',')
}

function addressOf({ status }: Node, wanted: string): string {
  return status.addresses?.find(({ type }) => type === wanted)?.address ?? NONE
}
