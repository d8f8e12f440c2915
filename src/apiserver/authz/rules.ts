// What a user may do in a namespace, as lists for people: SelfSubjectRulesReview, `kubectl auth can-i --list`.
import type { NonResourceRule, ResourceRule } from '../../api/types/authorization-v1.ts'

export interface SubjectRules {
  resourceRules: ResourceRule[]
  nonResourceRules: NonResourceRule[]
  /** True when the authorizer cannot list everything. */
  incomplete: boolean
  evaluationError?: string
}
