// The API server is built before any node is there; this machine's own node is plugged in once it is, and every other
// node is reached over the network.
import type { NodeAccess } from '../api/node-access.ts'

export interface LateNodeAccess {
  access: NodeAccess
  plugIn(nodeName: string, access: NodeAccess): void
}

export function lateNodeAccess(others: NodeAccess): LateNodeAccess {
  let own: { nodeName: string; access: NodeAccess } | undefined
  const of = (nodeName: string) => (own?.nodeName === nodeName ? own.access : others)
  return {
    access: {
      logs: async (nodeName, ...rest) => of(nodeName).logs(nodeName, ...rest),
      exec: async (nodeName, ...rest) => of(nodeName).exec(nodeName, ...rest),
      attach: async (nodeName, ...rest) => of(nodeName).attach(nodeName, ...rest),
      ask: async (nodeName, ...rest) => of(nodeName).ask(nodeName, ...rest),
      portForward: async (nodeName, ...rest) => of(nodeName).portForward(nodeName, ...rest),
      get: async (nodeName, ...rest) => of(nodeName).get(nodeName, ...rest),
    },
    plugIn(nodeName, access) {
      own = { nodeName, access }
    },
  }
}
