// What a worker can be told to do. Actions name things; perform.ts knows how.

import type { ContainerResize } from '../resize/decide-resize.ts'

export type ContainerKind = 'init' | 'sidecar' | 'app' | 'ephemeral'

export type Action =
  /** Stop every container (hooks, grace and order of section 5 apply) and then every sandbox. */
  | { do: 'killPod'; gracePeriodSeconds?: number }
  | { do: 'removeContainer'; name: string; id: string; keepLogs?: boolean }
  | { do: 'removeSandbox'; id: string }
  /** `replaces` is the sandbox that is lost; absent for a pod's first. */
  | { do: 'createSandbox'; attempt: number; replaces?: string }
  | {
      do: 'killContainer'
      name: string
      id: string
      /** Of the Killing event. */
      message: string
      why: 'changed' | 'liveness' | 'startup' | 'unknown' | 'restartAll' | 'postStart' | 'resize'
    }
  | { do: 'startContainer'; name: string; kind: ContainerKind }
  /** Running containers get other limits. */
  | { do: 'resize'; updates: readonly ContainerResize[] }
  /** Refused now by the crash back-off: shows as CrashLoopBackOff with an event. */
  | { do: 'holdBack'; name: string; message: string }
  | { do: 'beginRestartAll'; source: string }
  | { do: 'endRestartAll' }
  /** Decide again then, at the latest. Epoch milliseconds. */
  | { do: 'checkAgain'; at: number }
