// Classes that Pods name. Upstream: pkg/apis/{scheduling,node}/validation.
import { isDns1123Label } from '../../names.ts'
import type { RuntimeClass } from '../../types/node-v1.ts'
import type { PriorityClass } from '../../types/scheduling-v1.ts'
import { each, type FieldError, forbiddenField, immutable, notSupported, required } from '../field-error.ts'
import { validateLabels, validateObjectMetaUpdate } from '../object-meta.ts'
import { validateResources } from '../pod/resources.ts'
import { validateTolerations } from '../pod/scheduling.ts'
import type { Validator } from '../validator.ts'

const HIGHEST_OF_USERS = 1_000_000_000
const SYSTEM: Record<string, number> = {
  'system-node-critical': 2_000_001_000,
  'system-cluster-critical': 2_000_000_000,
}
const PREEMPTION = ['PreemptLowerPriority', 'Never']

function validatePriorityClass(priority: PriorityClass): FieldError[] {
  const { metadata, value, preemptionPolicy } = priority
  const errors: FieldError[] = []
  if (metadata.name?.startsWith('system-')) {
    const problem = systemProblem(priority)
    const detail = `priority class names with 'system-' prefix are reserved for system use only. error: ${problem}`
    if (problem) errors.push(forbiddenField('metadata.name', detail))
  } else if (value > HIGHEST_OF_USERS) {
    const detail = `maximum allowed value of a user defined priority is ${HIGHEST_OF_USERS}`
    errors.push(forbiddenField('value', detail))
  }
  if ((preemptionPolicy as string) === '') errors.push(required('preemptionPolicy'))
  else if (preemptionPolicy !== undefined && !PREEMPTION.includes(preemptionPolicy))
    errors.push(notSupported('preemptionPolicy', preemptionPolicy, PREEMPTION))
  return errors
}

/** Upstream: IsKnownSystemPriorityClass. */
function systemProblem({ metadata, value, globalDefault }: PriorityClass): string | undefined {
  const { name = '' } = metadata
  const fixed = SYSTEM[name]
  if (fixed === undefined) return `${name} is not a known system priority class`
  if (value !== fixed) return `value of ${name} PriorityClass must be ${fixed}`
  return globalDefault ? `globalDefault of ${name} PriorityClass must be false` : undefined
}

export const priorityClassValidator: Validator = {
  create: validatePriorityClass,
  subresources: {
    '': (after: PriorityClass, old: PriorityClass) => [
      ...validateObjectMetaUpdate(after.metadata, old.metadata),
      ...((after.value ?? 0) === (old.value ?? 0)
        ? []
        : [forbiddenField('value', 'may not be changed in an update.')]),
      ...immutable('preemptionPolicy', after.preemptionPolicy, old.preemptionPolicy),
    ],
  },
}

export const runtimeClassValidator: Validator = {
  create: ({ handler, overhead, scheduling }: RuntimeClass) => [
    ...each('handler', handler ?? '', isDns1123Label),
    ...(overhead
      ? validateResources({ ...(overhead.podFixed && { limits: overhead.podFixed }) }, new Set(), 'overhead')
      : []),
    ...(scheduling
      ? [
          ...validateLabels(scheduling.nodeSelector, 'scheduling.nodeSelector'),
          ...validateTolerations(scheduling.tolerations ?? [], 'scheduling.tolerations'),
        ]
      : []),
  ],
  update: (after: RuntimeClass, old: RuntimeClass) => immutable('handler', after.handler, old.handler),
}
