// What the steps of starting a cluster hand to each other.
import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { ClusterFacts } from './cluster-facts.ts'
import type { ClusterPaths } from './paths.ts'

/** Undone in reverse order, each even if another fails. */
export type Undo = () => Promise<unknown> | unknown

export interface ClusterParts {
  name: string
  clock: Clock
  log: Log
  paths: ClusterPaths
  facts: ClusterFacts
  /** 0: any free one. */
  port: number
  nodeName: string
  /** How long pods may take to end, as of when the cluster stops. Milliseconds. */
  ending: { graceMs: number }
  /** Aborts when the cluster is to stop without waiting for pods any longer. */
  hurry: AbortSignal
  /** Adds something to take back at the end. */
  onStop(undo: Undo): void
  /** A part that must live has died. */
  fail(error: unknown): void
}

/** Runs a long-lived part until the cluster stops; its failure is the cluster's. */
export function keepRunning(parts: ClusterParts, run: (signal: AbortSignal) => Promise<unknown>): void {
  const stop = new AbortController()
  const running = run(stop.signal).catch(error => {
    if (!stop.signal.aborted) parts.fail(error)
  })
  parts.onStop(async () => {
    stop.abort()
    await running
  })
}
