// What a container of the fake runtime does: a script in place of a process. Times are in milliseconds of its clock.
import type { ContainerConfig, ExecSyncResponse } from '../cri/cri.generated.ts'

export interface OutputLine {
  /** After the start. */
  atMs: number
  stream: 'stdout' | 'stderr'
  text: string
}

export interface ContainerProgram {
  /** Thrown by CreateContainer. */
  failsToCreate?: Error
  /** Thrown by StartContainer; the container has then ended with 128. */
  failsToStart?: Error
  /** Ends by itself this long after its start; absent: it runs until it is stopped. */
  exitAfterMs?: number
  /** Of its own end; default 0. */
  exitCode?: number
  /** Its own end is the kernel's doing: reason OOMKilled. */
  outOfMemory?: boolean
  /** What it does with its stop signal; default: the signal ends it at once. */
  onStopSignal?: 'ignore' | { afterMs?: number; exitCode?: number }
  /** What it writes to its log, in order of time. */
  output?: readonly OutputLine[]
  exec?(command: readonly string[]): ExecResult
}

export type ExecResult = Partial<Omit<ExecSyncResponse, 'exitCode'>> & {
  exitCode: number
  /** How long the command runs; default no time. */
  takesMs?: number
}

/** Looks a container's program up at its creation. */
export type Programs = (config: ContainerConfig) => ContainerProgram | undefined
