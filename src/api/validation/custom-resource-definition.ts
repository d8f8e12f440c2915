// CustomResourceDefinitions. Upstream: apiextensions-apiserver pkg/apis/apiextensions/validation.
import { isDns1035Label, isDns1123Subdomain } from '../names.ts'
import type {
  CustomResourceDefinition,
  CustomResourceDefinitionNames as Names,
  CustomResourceDefinitionVersion as Version,
} from '../types/apiextensions-v1.ts'
import {
  duplicate,
  each,
  type FieldError,
  forbiddenField,
  immutable,
  invalidValue,
  notSupported,
  required,
} from './field-error.ts'
import { selectableFieldErrors } from './selectable-fields.ts'
import { validateStructuralSchema } from './structural-schema.ts'
import type { Validator } from './validator.ts'

const APPROVED = 'api-approved.kubernetes.io'
const SCOPES = ['Cluster', 'Namespaced']
const COLUMN_TYPES = ['integer', 'number', 'string', 'boolean', 'date']

function validateCreate(definition: CustomResourceDefinition): FieldError[] {
  const { metadata, spec } = definition
  const { group, names, scope, versions = [] } = spec
  const expected = `${names.plural}.${group}`
  return [
    ...(metadata.name === expected
      ? []
      : [invalidValue('metadata.name', metadata.name, `must be spec.names.plural+"."+spec.group`)]),
    ...groupErrors(group),
    ...approvalErrors(definition),
    ...(scope
      ? SCOPES.includes(scope)
        ? []
        : [notSupported('spec.scope', scope, SCOPES)]
      : [required('spec.scope')]),
    ...versionsErrors(versions),
    ...nameErrors(names, 'spec.names'),
    ...conversionErrors(definition),
    ...(spec.preserveUnknownFields === true
      ? [
          invalidValue(
            'spec.preserveUnknownFields',
            true,
            'must be false in order to use defaults in the schema',
          ),
        ]
      : []),
  ]
}

function groupErrors(group: string): FieldError[] {
  if (!group) return [required('spec.group')]
  const errors = each('spec.group', group, isDns1123Subdomain)
  if (!group.includes('.')) {
    errors.push(invalidValue('spec.group', group, 'should be a domain with at least one dot'))
  }
  return errors
}

/** Groups of the community are for what it has reviewed. */
function approvalErrors({ metadata, spec: { group } }: CustomResourceDefinition): FieldError[] {
  const isProtected = ['k8s.io', 'kubernetes.io'].some(
    domain => group === domain || group?.endsWith(`.${domain}`),
  )
  if (!isProtected) return []
  const path = `metadata.annotations[${APPROVED}]`
  const value = metadata.annotations?.[APPROVED]
  const see = `protected groups must have approval annotation "${APPROVED}", see https://github.com/kubernetes/enhancements/pull/1111`
  if (!value) return [required(path, see)]
  return value.startsWith('unapproved') || URL.canParse(value) ? [] : [invalidValue(path, value, see)]
}

function versionsErrors(versions: readonly Version[]): FieldError[] {
  const errors: FieldError[] = []
  const seen = new Set<string>()
  for (const [index, version] of versions.entries()) {
    const path = `spec.versions[${index}]`
    if (!version.name) errors.push(required(`${path}.name`))
    else errors.push(...each(`${path}.name`, version.name, isDns1035Label))
    if (seen.has(version.name)) {
      errors.push(
        invalidValue(
          'spec.versions',
          versions.map(({ name }) => name),
          `must contain unique version names`,
        ),
      )
    }
    seen.add(version.name)
    errors.push(...versionErrors(version, path))
  }
  if (versions.filter(({ storage }) => storage).length !== 1) {
    errors.push(
      invalidValue('spec.versions', versions, 'must have exactly one version marked as storage version'),
    )
  }
  return errors
}

function versionErrors(version: Version, path: string): FieldError[] {
  const errors: FieldError[] = []
  const { schema, subresources, additionalPrinterColumns = [] } = version
  if (!schema?.openAPIV3Schema)
    errors.push(required(`${path}.schema.openAPIV3Schema`, 'schemas are required'))
  else errors.push(...validateStructuralSchema(schema.openAPIV3Schema, `${path}.schema.openAPIV3Schema`))
  for (const [index, column] of additionalPrinterColumns.entries()) {
    const at = `${path}.additionalPrinterColumns[${index}]`
    if (!column.name) errors.push(required(`${at}.name`))
    if (!column.type)
      errors.push(required(`${at}.type`, `must be one of ${[...COLUMN_TYPES].sort().join(',')}`))
    else if (!COLUMN_TYPES.includes(column.type)) {
      errors.push(
        invalidValue(`${at}.type`, column.type, `must be one of ${[...COLUMN_TYPES].sort().join(',')}`),
      )
    }
    if (!column.jsonPath) errors.push(required(`${at}.jsonPath`))
    else if (!column.jsonPath.startsWith('.')) {
      errors.push(
        invalidValue(`${at}.jsonPath`, column.jsonPath, 'must be a simple json path starting with .'),
      )
    }
  }
  return [
    ...errors,
    ...selectableFieldErrors(version, `${path}.selectableFields`),
    ...scaleErrors(subresources?.scale, `${path}.subresources.scale`),
  ]
}

function scaleErrors(
  scale: { specReplicasPath: string; statusReplicasPath: string } | undefined,
  path: string,
): FieldError[] {
  if (!scale) return []
  const check = (field: 'specReplicasPath' | 'statusReplicasPath', prefix: string) => {
    const value = scale[field]
    if (!value) return [required(`${path}.${field}`)]
    return value.startsWith(prefix)
      ? []
      : [invalidValue(`${path}.${field}`, value, `should be a json path under ${prefix.slice(0, -1)}`)]
  }
  return [...check('specReplicasPath', '.spec.'), ...check('statusReplicasPath', '.status.')]
}

function nameErrors(names: Names, path: string): FieldError[] {
  const errors: FieldError[] = []
  const label = (field: string, value: string) => each(`${path}.${field}`, value, isDns1035Label)
  if (!names.plural) errors.push(required(`${path}.plural`))
  else errors.push(...label('plural', names.plural))
  if (names.singular) errors.push(...label('singular', names.singular))
  if (!names.kind) errors.push(required(`${path}.kind`))
  else errors.push(...each(`${path}.kind`, names.kind, kind => isDns1035Label(kind.toLowerCase())))
  if (names.listKind) {
    errors.push(...each(`${path}.listKind`, names.listKind, kind => isDns1035Label(kind.toLowerCase())))
    if (names.listKind === names.kind) {
      errors.push(invalidValue(`${path}.listKind`, names.listKind, 'kind and listKind may not be the same'))
    }
  }
  const seen = new Set<string>()
  for (const [index, short] of (names.shortNames ?? []).entries()) {
    errors.push(...label(`shortNames[${index}]`, short))
    if (seen.has(short)) errors.push(duplicate(`${path}.shortNames[${index}]`, short))
    seen.add(short)
  }
  for (const [index, category] of (names.categories ?? []).entries())
    errors.push(...label(`categories[${index}]`, category))
  return errors
}

function conversionErrors({ spec: { conversion } }: CustomResourceDefinition): FieldError[] {
  if (!conversion) return []
  const { strategy, webhook } = conversion
  if (strategy === 'None') {
    return webhook
      ? [forbiddenField('spec.conversion.webhook', 'should not be set when strategy is not set to Webhook')]
      : []
  }
  if (strategy !== 'Webhook') return [notSupported('spec.conversion.strategy', strategy, ['None', 'Webhook'])]
  if (!webhook?.clientConfig) {
    return [required('spec.conversion.webhookClientConfig', 'required when strategy is set to Webhook')]
  }
  return (webhook.conversionReviewVersions ?? []).length > 0
    ? []
    : [required('spec.conversion.conversionReviewVersions')]
}

function validateUpdate(definition: CustomResourceDefinition, old: CustomResourceDefinition): FieldError[] {
  const isEstablished = old.status?.conditions?.some(
    ({ type, status }) => type === 'Established' && status === 'True',
  )
  const { spec, status } = definition
  const stored = status?.storedVersions ?? []
  const missing = stored.filter(name => !spec.versions.some(version => version.name === name))
  return [
    ...immutable('spec.group', spec.group, old.spec.group),
    ...immutable('spec.names.plural', spec.names.plural, old.spec.names.plural),
    ...(isEstablished
      ? [
          ...immutable('spec.scope', spec.scope, old.spec.scope),
          ...immutable('spec.names.kind', spec.names.kind, old.spec.names.kind),
        ]
      : []),
    ...missing.map(name =>
      invalidValue(
        `status.storedVersions[${stored.indexOf(name)}]`,
        name,
        `missing from spec.versions; ${name} was previously a storage version, and must remain in spec.versions until a storage migration ensures no data remains persisted in ${name} and removes ${name} from status.storedVersions`,
      ),
    ),
  ]
}

export const definitionChecks: Record<string, Validator> = {
  'apiextensions.k8s.io/CustomResourceDefinition': { create: validateCreate, update: validateUpdate },
}
