import type { PodReference, PortForwarder } from '../../api/node-access.ts'
import type { StreamingParts } from './pod-streaming.ts'

/** One client's forwarding, over whichever protocol. */
export interface ForwardSession {
  pod: PodReference
  forward: PortForwarder
  parts: StreamingParts
  signal: AbortSignal
}
