// Upstream: managedfields/internal/conflict.go and errors.NewApplyConflict.
import { StatusError } from '../../api/status-error.ts'
import { pathText } from './field-set.ts'
import type { ManagerId } from './managers.ts'
import type { Conflict } from './ownership.ts'

export function conflictError(conflicts: readonly Conflict[]): StatusError {
  const causes = conflicts.map(({ manager, path }) => ({
    reason: 'FieldManagerConflict',
    message: `conflict with ${managerText(manager)}`,
    field: pathText(path),
  }))
  return new StatusError({
    code: 409,
    reason: 'Conflict',
    message: messageOf(conflicts),
    details: { causes },
  })
}

function messageOf(conflicts: readonly Conflict[]): string {
  const [first] = conflicts
  if (conflicts.length === 1) {
    return `Apply failed with 1 conflict: conflict with ${managerText(first!.manager)}: ${pathText(first!.path)}`
  }
  const byManager = new Map<string, string[]>()
  for (const { manager, path } of conflicts) {
    const text = managerText(manager)
    byManager.set(text, [...(byManager.get(text) ?? []), `- ${pathText(path)}`])
  }
  const lines = [...byManager].sort().flatMap(([text, fields]) => [`conflicts with ${text}:`, ...fields])
  return `Apply failed with ${conflicts.length} conflicts: ${lines.join('\n')}`
}

function managerText({ manager, operation, apiVersion, subresource }: ManagerId): string {
  const name = JSON.stringify(manager) + (subresource && ` with subresource ${JSON.stringify(subresource)}`)
  return operation === 'Update' ? `${name} using ${apiVersion}` : name
}
