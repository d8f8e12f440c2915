import type { FieldError } from './field-error.ts'
import type { MetaRules } from './object-meta.ts'

export interface Validator {
  /** How the kind's objects may be called; see MetaRules. */
  name?: MetaRules['name']
  /** Besides metadata. */
  create?(object: never): FieldError[]
  /** Besides metadata; `create`'s checks are made as well. */
  update?(object: never, old: never): FieldError[]
  /** Replaces everything else for the subresource. */
  subresources?: Record<string, (object: never, old: never) => FieldError[]>
}
