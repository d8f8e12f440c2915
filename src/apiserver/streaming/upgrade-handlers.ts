// Which subresource's connections are taken over by whom.

import type { StreamingParts } from './pod-streaming.ts'
import { portForwardHandler } from './port-forward.ts'
import { attachHandler, execHandler, type UpgradeHandler } from './remote-command.ts'

/** By 'pods/exec'. */
export function upgradeHandlers(parts: StreamingParts): ReadonlyMap<string, UpgradeHandler> {
  return new Map([
    ['pods/exec', execHandler(parts)],
    ['pods/attach', attachHandler(parts)],
    ['pods/portforward', portForwardHandler(parts)],
  ])
}
