// Taints and tolerations. Upstream: component-helpers scheduling/corev1 and core/v1 toleration.go.
import type { Taint, Toleration } from '../types/core-v1.ts'

type TaintLike = Pick<Taint, 'key' | 'effect'> & { value?: string }

export function toleratesTaint(tolerations: readonly Toleration[], taint: TaintLike): boolean {
  return tolerations.some(toleration => tolerates(toleration, taint))
}

/** An empty key with Exists tolerates everything; an empty effect tolerates every effect. Upstream: ToleratesTaint. */
export function tolerates(toleration: Toleration, taint: TaintLike): boolean {
  if (toleration.effect && toleration.effect !== taint.effect) return false
  if (toleration.key && toleration.key !== taint.key) return false
  const value = taint.value ?? ''
  switch (toleration.operator || 'Equal') {
    case 'Exists':
      return true
    case 'Equal':
      return toleration.key !== undefined && toleration.key !== '' && (toleration.value ?? '') === value
    default:
      return false
  }
}
