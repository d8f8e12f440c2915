// Whose pods they are: two autoscalers that measure the same pods would work against each other.
// Upstream: pkg/controller/util/selectors, hpasControllingPodsUnderSelector.
import type { LabelMatcher } from '../../api/labels.ts'
import type { Pod } from '../../api/types/core-v1.ts'

interface Known {
  name: string
  namespace: string
  selects: LabelMatcher
}

export class SelectingAutoscalers {
  readonly #known = new Map<string, Known>()

  set(key: string, known: Known): void {
    this.#known.set(key, known)
  }

  delete(key: string): void {
    this.#known.delete(key)
  }

  /** '[{web shop} {other shop}]' when more than one of the namespace selects some of the pods. */
  rivals(namespace: string, pods: readonly Pod[]): string | undefined {
    const found = [...this.#known.values()].filter(
      known => known.namespace === namespace && pods.some(({ metadata }) => known.selects(metadata.labels)),
    )
    if (found.length < 2) return undefined
    const names = found.map(({ name }) => `{${name} ${namespace}}`).sort()
    return `[${names.join(' ')}]`
  }
}
