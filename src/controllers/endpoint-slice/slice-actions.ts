import type { Draft } from '../../api/kube-object.ts'
import type { Pod } from '../../api/types/core-v1.ts'
import type { EndpointSlice } from '../../api/types/discovery-v1.ts'

export interface SliceActions {
  create: Draft<EndpointSlice>[]
  update: EndpointSlice[]
  remove: EndpointSlice[]
  /** Pods left out because their node is not known: worth another try. */
  skipped: Pod[]
}
