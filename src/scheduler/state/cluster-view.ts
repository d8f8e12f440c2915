// All that plugins may look at, as it is while one Pod is judged.
import type { LabelMatcher, Labels } from '../../api/labels.ts'
import type { Pod } from '../../api/types/core-v1.ts'
import type { DeviceObjects } from '../devices/device-objects.ts'
import type { VolumeObjects } from '../volumes/volume-objects.ts'
import type { NodeInfo } from './node-info.ts'

export interface ClusterView {
  /** Stable order: as nodes came. */
  readonly nodes: readonly NodeInfo[]
  findNode(name: string): NodeInfo | undefined
  /** Nodes with a Pod that has any affinity or anti-affinity to Pods. */
  readonly nodesWithPodAffinity: Iterable<NodeInfo>
  /** Nodes with a Pod that requires anti-affinity to Pods. */
  readonly nodesWithAntiAffinity: Iterable<NodeInfo>
  readonly objects: ClusterObjects
}

/** Objects that are neither nodes nor Pods. */
export interface ClusterObjects {
  namespaceLabels(name: string): Labels | undefined
  /** Matches the Pods that belong together with this one by a Service or a controller; undefined when there is none. */
  siblingsOf(pod: Pod): Siblings | undefined
  readonly volumes: VolumeObjects
  readonly devices: DeviceObjects
}

export interface Siblings {
  /** The same for the same selector. */
  key: string
  matches: LabelMatcher
}
