import type { KubeObject } from '../../api/kube-object.ts'
import { type Column, column, NAME, type TableKind } from './table.ts'

const CREATED_AT: Column = {
  ...column('Created At', 'When the object was created, as the server counts time.', 'date'),
}

/** For kinds without columns of their own. Upstream: rest.DefaultTableConvertor. */
export const defaultTable: TableKind = {
  columns: [NAME, CREATED_AT],
  cells: ({ metadata }: KubeObject) => [metadata?.name ?? '', metadata?.creationTimestamp ?? ''],
}
