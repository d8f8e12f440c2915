// What ReplicaSets and ReplicationControllers show alike.
import type { PodTemplateSpec } from '../../api/types/core-v1.ts'
import type { ObjectMeta } from '../../api/types/meta-v1.ts'
import { ageOf, CONTAINER_COLUMNS, containerCells, SELECTOR } from './cells.ts'
import { AGE, type Cell, type Column, column, NAME } from './table.ts'

interface Replicas {
  metadata: ObjectMeta
  spec: { replicas?: number; template?: Pick<PodTemplateSpec, 'spec'> }
  status: { replicas: number; readyReplicas?: number }
}

export const REPLICA_COLUMNS: readonly Column[] = [
  NAME,
  column('Desired', 'Pods asked for.', 'integer'),
  column('Current', 'Pods that exist.', 'integer'),
  column('Ready', 'Pods that are ready.', 'integer'),
  AGE,
  ...CONTAINER_COLUMNS,
  SELECTOR,
]

/** All but the selector, which each writes in its own way. */
export const replicaCells = ({ metadata, spec, status }: Replicas, now: number): Cell[] => [
  metadata.name,
  spec.replicas ?? 0,
  status.replicas,
  status.readyReplicas ?? 0,
  ageOf(metadata, now),
  ...containerCells(spec.template?.spec),
]
