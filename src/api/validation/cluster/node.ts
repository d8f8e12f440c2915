// Nodes. Upstream: ValidateNode and ValidateNodeUpdate in pkg/apis/core/validation.
import { isLabelValue, isQualifiedName } from '../../names.ts'
import type { Node, Taint } from '../../types/core-v1.ts'
import { isDualStack, validateCidr } from '../addresses.ts'
import { duplicate, each, type FieldError, forbiddenField, invalidValue } from '../field-error.ts'
import { validateObjectMetaUpdate } from '../object-meta.ts'
import { validateTaintEffect } from '../pod/scheduling.ts'
import { validateAmount } from '../resource-names.ts'
import type { Validator } from '../validator.ts'

/** Taints are told of under 'metadata', as upstream does. */
function validateNode({ spec, status }: Node): FieldError[] {
  return [
    ...validateTaints(spec.taints ?? [], 'metadata.taints'),
    ...validateAmounts(status),
    ...validatePodRanges(spec.podCIDRs ?? []),
  ]
}

function validateAmounts(status: Node['status'] | undefined): FieldError[] {
  return (['capacity', 'allocatable'] as const).flatMap(list =>
    Object.entries(status?.[list] ?? {}).flatMap(([name, text]) =>
      validateAmount(name, text, `status.${list}.${name}`),
    ),
  )
}

function validatePodRanges(ranges: readonly string[]): FieldError[] {
  const path = 'spec.podCIDRs'
  const errors = ranges.flatMap((range, index) => validateCidr(range, `${path}[${index}]`))
  if (ranges.length < 2 || isDualStack(ranges)) return errors
  return [...errors, invalidValue(path, ranges, 'may specify no more than one CIDR for each IP family')]
}

/** Upstream: validateNodeTaints. */
function validateTaints(taints: readonly Taint[], path: string): FieldError[] {
  const seen = new Set<string>()
  return taints.flatMap(({ key, value = '', effect, timeAdded = null }, index) => {
    const at = `${path}[${index}]`
    const problems = isLabelValue(value)
    const errors = [
      ...each(`${at}.key`, key, isQualifiedName),
      ...(problems.length > 0 ? [invalidValue(`${at}.value`, value, problems.join(';'))] : []),
      ...validateTaintEffect(effect, false, `${at}.effect`),
    ]
    const pair = `${effect} ${key}`
    if (seen.has(pair)) {
      const shown = { Key: key, Value: value, Effect: effect, TimeAdded: timeAdded }
      errors.push(duplicate(at, shown, 'taints must be unique by key and effect pair'))
    }
    seen.add(pair)
    return errors
  })
}

function validateNodeUpdate(node: Node, old: Node): FieldError[] {
  const errors = [...validateObjectMetaUpdate(node.metadata, old.metadata), ...validateAmounts(node.status)]
  const seen = new Set<string>()
  for (const [index, address] of (node.status?.addresses ?? []).entries()) {
    const text = `${address.type} ${address.address}`
    if (seen.has(text)) {
      const shown = { Type: address.type, Address: address.address }
      errors.push(duplicate(`status.addresses[${index}]`, shown))
    }
    seen.add(text)
  }
  return [
    ...errors,
    ...validateAssigned(node.spec, old.spec),
    ...validateTaints(node.spec.taints ?? [], 'metadata.taints'),
  ]
}

/** What is given once and kept. */
function validateAssigned(spec: Node['spec'], old: Node['spec']): FieldError[] {
  const errors: FieldError[] = []
  const [before, after] = [old.podCIDRs ?? [], spec.podCIDRs ?? []]
  const because = (what: string) => `node updates may not change ${what} except from "" to valid`
  if (before.length > 0) {
    const changed =
      before.length === after.length ? before.filter((range, index) => range !== after[index]) : ['']
    errors.push(...changed.map(() => forbiddenField('spec.podCIDRs', because('podCIDR'))))
  }
  if (old.providerID && spec.providerID !== old.providerID)
    errors.push(forbiddenField('spec.providerID', because('providerID')))
  if ((spec.externalID ?? '') !== (old.externalID ?? ''))
    errors.push(forbiddenField('spec.externalID', 'may not be updated'))
  return errors
}

export const nodeValidator: Validator = {
  create: validateNode,
  subresources: {
    '': (node: Node, old: Node) => {
      const update = validateNodeUpdate(node, old)
      const told = new Set(update.map(({ field, message }) => `${field} ${message}`))
      return [
        ...update,
        ...validateNode(node).filter(({ field, message }) => !told.has(`${field} ${message}`)),
      ]
    },
    status: validateNodeUpdate,
  },
}
