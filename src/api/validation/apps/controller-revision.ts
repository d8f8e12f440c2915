// Upstream: ValidateControllerRevision in pkg/apis/apps/validation.
import type { ControllerRevision } from '../../types/apps-v1.ts'
import { type FieldError, immutable, nonNegative, required } from '../field-error.ts'
import type { Validator } from '../validator.ts'

export const controllerRevisionValidator: Validator = {
  create: ({ data, revision }: ControllerRevision): FieldError[] => [
    ...(data ? [] : [required('data', 'data is mandatory')]),
    ...nonNegative('revision', revision),
  ],
  update: ({ data }: ControllerRevision, old: ControllerRevision) => immutable('data', data, old.data),
}
