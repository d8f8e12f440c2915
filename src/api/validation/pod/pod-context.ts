import type { PodSpec, Volume } from '../../types/core-v1.ts'

/** What the checks of a container need to know of the Pod around it. */
export interface PodContext {
  spec: PodSpec
  volumes: ReadonlyMap<string, Volume>
  gracePeriodSeconds: number
}
