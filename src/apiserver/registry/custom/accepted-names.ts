// Which names of a CustomResourceDefinition are free, and the conditions that tell. Pure.
// Upstream: apiextensions-apiserver pkg/controller/status/naming_controller.go and establish.
import type {
  CustomResourceDefinitionCondition as Condition,
  CustomResourceDefinition,
  CustomResourceDefinitionNames as Names,
  CustomResourceDefinitionStatus as Status,
} from '../../../api/types/apiextensions-v1.ts'
import { goQuote } from '../../../api/validation/field-error.ts'

/** The status as it should be; the present one when nothing is to change. `at`: for conditions that change. */
export function acceptedStatus(
  definition: CustomResourceDefinition,
  others: readonly CustomResourceDefinition[],
  at: string,
): Status {
  const { spec, status } = definition
  const problem = conflictOf(definition, others)
  const acceptedNames = problem ? (status?.acceptedNames ?? { plural: '', kind: '' }) : spec.names
  const accepted: Condition = problem
    ? { type: 'NamesAccepted', status: 'False', reason: problem.reason, message: problem.message }
    : { type: 'NamesAccepted', status: 'True', reason: 'NoConflicts', message: 'no conflicts found' }
  const before = status?.conditions ?? []
  const conditions = [
    withTime(accepted, before, at),
    ...before.filter(({ type }) => type !== 'NamesAccepted'),
  ]
  if (!before.some(({ type }) => type === 'Established')) {
    const established: Condition = problem
      ? { type: 'Established', status: 'False', reason: 'NotAccepted', message: 'not all names are accepted' }
      : {
          type: 'Established',
          status: 'True',
          reason: 'InitialNamesAccepted',
          message: 'the initial names have been accepted',
        }
    conditions.splice(1, 0, withTime(established, before, at))
  } else if (!problem) {
    const index = conditions.findIndex(({ type, status: is }) => type === 'Established' && is === 'False')
    const established = {
      type: 'Established',
      status: 'True',
      reason: 'InitialNamesAccepted',
      message: 'the initial names have been accepted',
    }
    if (index >= 0) conditions[index] = withTime(established, before, at)
  }
  return { ...status, acceptedNames, conditions, storedVersions: status?.storedVersions ?? [] }
}

function withTime(condition: Condition, before: readonly Condition[], at: string): Condition {
  const old = before.find(({ type }) => type === condition.type)
  const lastTransitionTime = old?.status === condition.status ? (old.lastTransitionTime ?? at) : at
  return { ...condition, lastTransitionTime }
}

function conflictOf(
  { metadata, spec }: CustomResourceDefinition,
  others: readonly CustomResourceDefinition[],
): { reason: string; message: string } | undefined {
  const taken = others.filter(
    other => other.spec.group === spec.group && other.metadata.name !== metadata.name,
  )
  const resources = new Set(taken.flatMap(({ status }) => resourceNames(status?.acceptedNames)))
  const kinds = new Set(taken.flatMap(({ status }) => kindNames(status?.acceptedNames)))
  const { plural, singular, shortNames = [], kind, listKind } = spec.names
  const used = (name: string | undefined) => name !== undefined && name !== '' && resources.has(name)
  const says = (reason: string, name: string) => ({ reason, message: `${goQuote(name)} is already in use` })
  if (used(plural)) return says('PluralConflict', plural)
  if (used(singular)) return says('SingularConflict', singular!)
  const short = shortNames.find(used)
  if (short) return says('ShortNamesConflict', short)
  if (kinds.has(kind)) return says('KindConflict', kind)
  return listKind && kinds.has(listKind) ? says('ListKindConflict', listKind) : undefined
}

const resourceNames = (names: Names | undefined) =>
  names ? [names.plural, names.singular ?? '', ...(names.shortNames ?? [])].filter(Boolean) : []
const kindNames = (names: Names | undefined) =>
  names ? [names.kind, names.listKind ?? ''].filter(Boolean) : []

export const isEstablished = ({ status }: CustomResourceDefinition): boolean =>
  status?.conditions?.some(({ type, status: is }) => type === 'Established' && is === 'True') === true
