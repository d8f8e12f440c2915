import type { KubeObject } from '../../api/kube-object.ts'
import { defaultTable } from './default-table.ts'
import type { TableKind } from './table.ts'

/** How objects of a resource are printed. */
export function tableFor(_resource: { group: string; resource: string }): TableKind<KubeObject> {
  return defaultTable
}
