// A request's label and field selectors as one cheap test. Upstream: storage.SelectionPredicate.
import {
  exactValue,
  type FieldRequirement,
  FieldSelectorError,
  parseFieldSelector,
} from '../../api/fields.ts'
import type { KubeObject } from '../../api/kube-object.ts'
import { everything, parseLabelSelector, SelectorError } from '../../api/labels.ts'
import type { RequestOptions } from '../../api/request.ts'
import type { ResourceInfo } from '../../api/resources.ts'
import { badRequest } from '../../api/status-error.ts'
import type { SelectableField, Strategy } from './strategy.ts'

export interface Selection {
  matches(object: KubeObject): boolean
  /** Every object matches. */
  isEverything: boolean
  /** Only the object whose key is the prefix and this name matches. */
  exactName?: string
  /** Only objects with this value of the strategy's indexed field match. */
  indexed?: string
}

const EVERYTHING: Selection = { matches: () => true, isEverything: true }

const META_FIELDS: Readonly<Record<string, SelectableField>> = {
  'metadata.name': object => object.metadata.name,
  'metadata.namespace': object => object.metadata.namespace ?? '',
}

/** `namespace` is that of the request. Throws BadRequest. */
export function makeSelection(
  { labelSelector = '', fieldSelector = '' }: RequestOptions,
  info: ResourceInfo,
  strategy: Strategy,
  namespace: string | undefined,
): Selection {
  if (labelSelector === '' && fieldSelector === '') return EVERYTHING
  const matchesLabels = parseLabels(labelSelector)
  const requirements = parseFields(fieldSelector)
  const tests = requirements.map(requirement => compileField(requirement, strategy))
  const hasOneScope = !info.namespaced || namespace !== undefined
  const exactName = hasOneScope ? exactValue(requirements, 'metadata.name') : undefined
  const indexed = strategy.indexedField ? exactValue(requirements, strategy.indexedField) : undefined
  return {
    isEverything: matchesLabels === everything && tests.length === 0,
    matches: object => tests.every(test => test(object)) && matchesLabels(object.metadata.labels),
    ...(exactName !== undefined && { exactName }),
    ...(indexed !== undefined && { indexed }),
  }
}

function parseLabels(text: string) {
  try {
    return parseLabelSelector(text)
  } catch (error) {
    throw error instanceof SelectorError ? badRequest(error.message) : error
  }
}

function parseFields(text: string): FieldRequirement[] {
  try {
    return parseFieldSelector(text)
  } catch (error) {
    throw error instanceof FieldSelectorError ? badRequest(error.message) : error
  }
}

function compileField(
  { field, operator, value }: FieldRequirement,
  strategy: Strategy,
): (object: KubeObject) => boolean {
  const read = strategy.selectableFields[field] ?? META_FIELDS[field]
  if (!read) throw unsupportedField(field, strategy)
  return operator === '=' ? object => read(object) === value : object => read(object) !== value
}

function unsupportedField(field: string, strategy: Strategy) {
  const hasOwnFields = Object.keys(strategy.selectableFields).length > 0
  return badRequest(
    hasOwnFields
      ? `field label not supported: ${field}`
      : `"${field}" is not a known field selector: only "metadata.name", "metadata.namespace"`,
  )
}
