// The API server is built before any node is there; the node's part is plugged in once it is.
import type { NodeAccess } from '../api/node-access.ts'

export interface LateNodeAccess {
  access: NodeAccess
  plugIn(access: NodeAccess): void
}

/** Calls before `plugIn` fail. */
export function lateNodeAccess(): LateNodeAccess {
  let plugged: NodeAccess | undefined
  const current = (): NodeAccess => {
    if (!plugged) throw new Error('no node can be reached yet')
    return plugged
  }
  return {
    access: {
      logs: async (...request) => current().logs(...request),
      exec: async (...request) => current().exec(...request),
      attach: async (...request) => current().attach(...request),
      ask: async (...request) => current().ask(...request),
      portForward: async (...request) => current().portForward(...request),
      get: async (...request) => current().get(...request),
    },
    plugIn(access) {
      plugged = access
    },
  }
}
