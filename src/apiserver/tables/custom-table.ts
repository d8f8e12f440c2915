// Columns that a CustomResourceDefinition names. Upstream: apiextensions-apiserver pkg/registry/customresource/tableconvertor.
import { findAll } from '../../api/custom/json-path.ts'
import type { KubeObject } from '../../api/kube-object.ts'
import type {
  CustomResourceDefinition,
  CustomResourceColumnDefinition as Definition,
} from '../../api/types/apiextensions-v1.ts'
import { since } from './cells.ts'
import { AGE, type Cell, type Column, NAME, type TableKind } from './table.ts'

const made = new WeakMap<object, TableKind>()

/** The name and what the version adds; without additions the age. */
export function customTable(
  definition: CustomResourceDefinition,
  versionName: string,
): TableKind | undefined {
  const version = definition.spec.versions.find(({ name }) => name === versionName)
  if (!version) return undefined
  const known = made.get(version)
  if (known) return known
  const table = tableOf(version.additionalPrinterColumns ?? [])
  made.set(version, table)
  return table
}

function tableOf(columns: readonly Definition[]): TableKind {
  if (columns.length === 0) {
    return {
      columns: [NAME, { ...AGE, type: 'date' }],
      cells: ({ metadata }, now) => [metadata.name, since(metadata.creationTimestamp, now)],
    }
  }
  return {
    columns: [NAME, ...columns.map(columnOf)],
    cells: (object, now) => [object.metadata.name, ...columns.map(column => cellOf(object, column, now))],
  }
}

function columnOf({ name, type, format = '', description = '', priority = 0, jsonPath }: Definition): Column {
  const text = description || `Custom resource definition column (in JSONPath format): ${jsonPath}`
  return { name, type: type as Column['type'], format, description: text, priority }
}

/** Upstream: cellForJSONValue. */
function cellOf(object: KubeObject, { type, jsonPath }: Definition, now: number): Cell {
  const found = findAll(object, jsonPath)
  if (found.length === 0 || found[0] === null) return null
  const [value] = found
  switch (type) {
    case 'integer':
      return typeof value === 'number' ? Math.trunc(value) : null
    case 'number':
      return typeof value === 'number' ? value : null
    case 'boolean':
      return typeof value === 'boolean' ? value : null
    case 'date':
      return typeof value === 'string' ? since(value, now) : '<unknown>'
    default:
      return found.map(one => (typeof one === 'string' ? one : JSON.stringify(one))).join(',')
  }
}
