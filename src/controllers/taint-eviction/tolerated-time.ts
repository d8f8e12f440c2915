// How long a Pod may stay on a Node with these taints. Pure. Upstream: getMinTolerationTime, GetMatchingTolerations.
import { tolerates } from '../../api/pod/tolerations.ts'
import type { Taint, Toleration } from '../../api/types/core-v1.ts'

/** Milliseconds; 0: it goes now; Infinity: it stays. */
export function toleratedMs(taints: readonly Taint[], tolerations: readonly Toleration[]): number {
  let least = Number.POSITIVE_INFINITY
  for (const taint of taints) {
    const toleration = tolerations.find(one => tolerates(one, taint))
    if (!toleration) return 0
    const { tolerationSeconds } = toleration
    if (tolerationSeconds !== undefined) least = Math.min(least, Math.max(0, tolerationSeconds) * 1_000)
  }
  return least
}
