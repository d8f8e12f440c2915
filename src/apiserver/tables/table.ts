// Server-side tables: what `kubectl get` prints. This file is the shape; each kind's columns are in its own file.
import type { KubeObject } from '../../api/kube-object.ts'

export interface Column {
  name: string
  type: 'string' | 'integer' | 'number' | 'boolean' | 'date'
  format: string
  description: string
  /** 0: always shown; higher: only with -o wide. */
  priority: number
}

export type Cell = string | number | boolean | null

export interface RowCondition {
  type: 'Completed'
  status: 'True'
  reason: string
  message: string
}

/** How one kind is printed. `now` is in epoch milliseconds. */
export interface TableKind<T = KubeObject> {
  columns: readonly Column[]
  cells(object: T, now: number): Cell[]
  conditions?(object: T): RowCondition[]
}

export type IncludeObject = 'None' | 'Metadata' | 'Object'

export interface TableRequest {
  version: 'v1' | 'v1beta1'
  includeObject: IncludeObject
  now: number
  /** Watches repeat no headers after the first event. */
  withoutColumns?: boolean
}

/** A table of one object, or of a list's items. */
export function buildTable(object: KubeObject, kind: TableKind, request: TableRequest): object {
  const items = Array.isArray(object.items) ? (object.items as KubeObject[]) : [object]
  return {
    kind: 'Table',
    apiVersion: `meta.k8s.io/${request.version}`,
    metadata: tableMetadata(object),
    columnDefinitions: request.withoutColumns ? null : kind.columns,
    rows: items.map(item => buildRow(item, kind, request)),
  }
}

function tableMetadata({ metadata }: KubeObject): object {
  const {
    resourceVersion,
    continue: more,
    remainingItemCount,
  } = metadata as unknown as Record<string, unknown>
  return {
    ...(resourceVersion !== undefined && { resourceVersion }),
    ...(more !== undefined && { continue: more }),
    ...(remainingItemCount !== undefined && { remainingItemCount }),
  }
}

function buildRow(item: KubeObject, kind: TableKind, request: TableRequest): object {
  const conditions = kind.conditions?.(item) ?? []
  return {
    cells: kind.cells(item, request.now),
    ...(conditions.length > 0 && { conditions }),
    object: rowObject(item, request),
  }
}

function rowObject(item: KubeObject, { includeObject, version }: TableRequest): object | null {
  if (includeObject === 'None') return null
  return includeObject === 'Object' ? item : partialMetadata(item, version)
}

export function partialMetadata(item: KubeObject, version: 'v1' | 'v1beta1'): object {
  return { kind: 'PartialObjectMetadata', apiVersion: `meta.k8s.io/${version}`, metadata: item.metadata }
}

export function partialMetadataList(list: KubeObject, version: 'v1' | 'v1beta1'): object {
  const items = (list.items as KubeObject[]).map(item => partialMetadata(item, version))
  return {
    kind: 'PartialObjectMetadataList',
    apiVersion: `meta.k8s.io/${version}`,
    metadata: list.metadata,
    items,
  }
}

/** A column with text, shown always. */
export function column(name: string, description: string, type: Column['type'] = 'string'): Column {
  return { name, type, format: name === 'Name' ? 'name' : '', description, priority: 0 }
}

/** A column that only -o wide shows. */
export function wide(name: string, description: string, type: Column['type'] = 'string'): Column {
  return { ...column(name, description, type), priority: 1 }
}

export const NAME = column('Name', 'Name of the object, unique in its namespace or cluster.')
export const AGE = column('Age', 'Time since the object was created.')
