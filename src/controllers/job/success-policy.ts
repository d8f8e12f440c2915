// Whether an Indexed Job may be declared a success before all its indexes are. Pure.
// Upstream: pkg/controller/job/success_policy.go.
import type { Job } from '../../api/types/batch-v1.ts'
import { IndexSet } from './index-set.ts'

/** The message of the condition; undefined when no rule is met. */
export function matchSuccessPolicy({ spec }: Job, succeeded: IndexSet): string | undefined {
  const { successPolicy, completions = 0 } = spec
  const index = (successPolicy?.rules ?? []).findIndex(({ succeededIndexes, succeededCount }) => {
    if (succeededIndexes === undefined) return succeeded.size >= (succeededCount ?? Number.POSITIVE_INFINITY)
    const required = IndexSet.parse(succeededIndexes, completions)
    return succeeded.overlap(required) >= (succeededCount ?? required.size)
  })
  return index < 0 ? undefined : `Matched rules at index ${index}`
}
