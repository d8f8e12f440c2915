// One node's or pod's entry of the metrics API, from the kubelet's summary. Pure.
import type { KubeObject } from '../../api/kube-object.ts'

interface Figures {
  cpu?: { time: string; usageNanoCores?: number }
  memory?: { time: string; workingSetBytes?: number }
}

/** The part of the kubelet's /stats/summary that is needed here. */
export interface UsageSummary {
  node: Figures & { nodeName: string }
  pods: (Figures & {
    podRef: { name: string; namespace: string; uid: string }
    containers: (Figures & { name: string })[]
  })[]
}

interface Usage {
  cpu: string
  memory: string
}

interface Metadata {
  name: string
  namespace?: string
  creationTimestamp: string
  labels?: Record<string, string>
}

export interface NodeMetrics {
  metadata: Metadata
  timestamp: string
  window: string
  usage: Usage
}

export interface PodMetrics {
  metadata: Metadata
  timestamp: string
  window: string
  containers: { name: string; usage: Usage }[]
}

/** As metrics-server shows for figures of this age. */
const WINDOW = '15s'

/** Undefined while there are no figures. */
export function nodeMetrics({ metadata }: KubeObject, { node }: UsageSummary): NodeMetrics | undefined {
  const usage = node.nodeName === metadata.name ? usageOf(node) : undefined
  if (!usage) return undefined
  return { metadata: metadataOf(metadata, node), timestamp: node.cpu!.time, window: WINDOW, usage }
}

/** A pod of which one running container has no figures yet is left out, as upstream does. */
export function podMetrics({ metadata }: KubeObject, { pods }: UsageSummary): PodMetrics | undefined {
  const found = pods.find(({ podRef }) => podRef.uid === metadata.uid)
  if (!found || found.containers.length === 0) return undefined
  const containers = found.containers.flatMap(one => {
    const usage = usageOf(one)
    return usage ? [{ name: one.name, usage }] : []
  })
  if (containers.length < found.containers.length) return undefined
  const timestamp = found.containers[0]!.cpu!.time
  return { metadata: metadataOf(metadata, found.containers[0]!), timestamp, window: WINDOW, containers }
}

function metadataOf({ name, namespace, labels }: KubeObject['metadata'], { cpu }: Figures): Metadata {
  return { name, ...(namespace && { namespace }), creationTimestamp: cpu!.time, ...(labels && { labels }) }
}

function usageOf({ cpu, memory }: Figures): Usage | undefined {
  if (cpu?.usageNanoCores === undefined || memory?.workingSetBytes === undefined) return undefined
  return { cpu: `${cpu.usageNanoCores}n`, memory: inKibibytes(memory.workingSetBytes) }
}

const inKibibytes = (bytes: number) => (bytes % 1024 === 0 ? `${bytes / 1024}Ki` : String(bytes))
