// Which subresource's connections are taken over by whom.
import type { StreamingParts } from './pod-streaming.ts'
import { portForwardHandler } from './port-forward.ts'
import { attachHandler, execHandler, type UpgradeHandler } from './remote-command.ts'

export type { StreamingParts } from './pod-streaming.ts'

export interface StreamingHandlers {
  exec: UpgradeHandler
  attach: UpgradeHandler
  portForward: UpgradeHandler
}

export function streamingHandlers(parts: StreamingParts): StreamingHandlers {
  return {
    exec: execHandler(parts),
    attach: attachHandler(parts),
    portForward: portForwardHandler(parts),
  }
}
