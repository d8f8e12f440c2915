// Nodes and Pods in few words, and what the scheduler says of them.
import { matchesAll } from '../../api/labels.ts'
import type { Node, NodeSpec, Pod, PodSpec } from '../../api/types/core-v1.ts'
import { Cycle } from '../cycle.ts'
import { noDevices } from '../devices/device-objects.ts'
import { fitErrorMessage } from '../fit-error.ts'
import type { Plugin } from '../framework.ts'
import { defaultPlugins } from '../plugins/default-plugins.ts'
import { type Placement, scheduleOne, scoresOf } from '../schedule-one.ts'
import type { ClusterObjects, Siblings } from '../state/cluster-view.ts'
import { NodeCache } from '../state/node-cache.ts'
import { NominatedPods } from '../state/nominated-pods.ts'
import { noVolumes } from '../volumes/volume-objects.ts'

type Labels = Record<string, string>

interface NodeDraft {
  labels?: Labels
  spec?: Partial<NodeSpec>
  allocatable?: Labels
  images?: { names: string[]; sizeBytes: number }[]
}

const ROOM = { cpu: '2', memory: '4Gi', pods: '10', 'ephemeral-storage': '10Gi' }

export function node(name: string, { labels, spec = {}, allocatable, images }: NodeDraft = {}): Node {
  return {
    metadata: { name, uid: name, labels: { 'kubernetes.io/hostname': name, ...labels } },
    spec,
    status: { allocatable: { ...ROOM, ...allocatable }, images },
  } as unknown as Node
}

interface PodDraft {
  namespace?: string
  labels?: Labels
  spec?: Partial<PodSpec>
  requests?: Labels
  status?: Partial<Pod['status']>
  deleting?: boolean
  owner?: { kind: string; name: string; apiVersion: string }
}

let count = 0

export function pod(
  name: string,
  { namespace = 'default', labels, spec, requests, status = {}, deleting, owner }: PodDraft = {},
): Pod {
  return {
    metadata: {
      name,
      namespace,
      uid: `${name}-${count++}`,
      labels,
      ...(deleting && { deletionTimestamp: '2026-01-01T00:00:00Z' }),
      ...(owner && { ownerReferences: [{ ...owner, uid: '', controller: true }] }),
    },
    spec: { containers: [{ name: 'c', image: 'x', resources: { requests } }], ...spec },
    status,
  } as unknown as Pod
}

export class World {
  readonly cache: NodeCache
  readonly nominated = new NominatedPods()
  plugins: readonly Plugin[] = defaultPlugins

  constructor(nodes: readonly Node[], objects: Partial<ClusterObjects> = {}) {
    this.cache = new NodeCache({
      namespaceLabels: () => undefined,
      siblingsOf: () => undefined,
      volumes: noVolumes,
      devices: noDevices,
      ...objects,
    })
    for (const one of nodes) this.cache.setNode(one)
  }

  with(nodeName: string, ...pods: Pod[]): this {
    for (const one of pods) this.cache.setPod(one, nodeName)
    return this
  }

  placement(candidate: Pod, startAt = 0): Placement {
    const { cache: cluster, plugins, nominated } = this
    return scheduleOne({ pod: candidate, cluster, plugins, nominated, startAt, random: () => 0 })
  }

  /** The node's name, or the text of the failure. */
  place(candidate: Pod): string {
    const placement = this.placement(candidate)
    return placement.node ?? fitErrorMessage(placement.failure)
  }

  /** Names of the nodes where the Pod fits. */
  fitting(candidate: Pod): string[] {
    const { cache: cluster, plugins, nominated } = this
    const { cycle, end, only } = Cycle.begin({ pod: candidate, cluster, plugins, nominated })
    if (end) return []
    return cluster.nodes
      .filter(({ name }) => !only || only.names.has(name))
      .filter(info => !cycle.judge(info))
      .map(({ name }) => name)
  }

  /** Node → score, of these plugins. */
  scores(candidate: Pod, ...plugins: Plugin[]): Record<string, number> {
    const { nodes } = this.cache
    const scores = scoresOf(candidate, nodes, this.cache, plugins)
    return Object.fromEntries(nodes.map(({ name }, index) => [name, scores[index]!]))
  }
}

export const labelled = (wanted: Labels): Siblings => ({
  key: JSON.stringify(wanted),
  matches: labels => matchesAll(wanted, labels),
})
