import type { Pod } from '../types/core-v1.ts'

/** 0 without one, as before priorities existed. Upstream: corev1helpers.PodPriority. */
export const priorityOf = (pod: Pick<Pod, 'spec'>): number => pod.spec.priority ?? 0
