import type {
  ControllerRevision,
  DaemonSet,
  Deployment,
  ReplicaSet,
  StatefulSet,
} from '../../api/types/apps-v1.ts'
import {
  ageOf,
  CONTAINER_COLUMNS,
  containerCells,
  formatLabelSelector,
  formatLabels,
  NONE,
  SELECTOR,
} from './cells.ts'
import { REPLICA_COLUMNS, replicaCells } from './replicas.ts'
import { AGE, column, NAME, type TableKind } from './table.ts'

export const deploymentTable: TableKind<Deployment> = {
  columns: [
    NAME,
    column('Ready', 'Pods that are ready, of those asked for.'),
    column('Up-to-date', 'Pods of the newest template.'),
    column('Available', 'Pods that have been ready for long enough.'),
    AGE,
    ...CONTAINER_COLUMNS,
    SELECTOR,
  ],
  cells: ({ metadata, spec, status }, now) => [
    metadata.name,
    `${status.readyReplicas ?? 0}/${spec.replicas ?? 0}`,
    String(status.updatedReplicas ?? 0),
    String(status.availableReplicas ?? 0),
    ageOf(metadata, now),
    ...containerCells(spec.template.spec),
    formatLabelSelector(spec.selector),
  ],
}

export const replicaSetTable: TableKind<ReplicaSet> = {
  columns: REPLICA_COLUMNS,
  cells: (set, now) => [...replicaCells(set, now), formatLabelSelector(set.spec.selector)],
}

export const statefulSetTable: TableKind<StatefulSet> = {
  columns: [NAME, column('Ready', 'Pods that are ready, of those asked for.'), AGE, ...CONTAINER_COLUMNS],
  cells: ({ metadata, spec, status }, now) => [
    metadata.name,
    `${status.readyReplicas ?? 0}/${spec.replicas ?? 0}`,
    ageOf(metadata, now),
    ...containerCells(spec.template.spec),
  ],
}

export const daemonSetTable: TableKind<DaemonSet> = {
  columns: [
    NAME,
    column('Desired', 'Nodes that should run the pod.', 'integer'),
    column('Current', 'Nodes that run it and should.', 'integer'),
    column('Ready', 'Nodes where it is ready.', 'integer'),
    column('Up-to-date', 'Nodes with the newest template.', 'integer'),
    column('Available', 'Nodes where it has been ready for long enough.', 'integer'),
    column('Node Selector', 'Labels of the nodes that it wants.'),
    AGE,
    ...CONTAINER_COLUMNS,
    SELECTOR,
  ],
  cells: ({ metadata, spec, status }, now) => [
    metadata.name,
    status.desiredNumberScheduled,
    status.currentNumberScheduled,
    status.numberReady,
    status.updatedNumberScheduled ?? 0,
    status.numberAvailable ?? 0,
    formatLabels(spec.template.spec?.nodeSelector),
    ageOf(metadata, now),
    ...containerCells(spec.template.spec),
    formatLabelSelector(spec.selector),
  ],
}

export const controllerRevisionTable: TableKind<ControllerRevision> = {
  columns: [
    NAME,
    column('Controller', 'Object whose history this is.'),
    column('Revision', 'Number in that history.'),
    AGE,
  ],
  cells: ({ metadata, revision }, now) => {
    const owner = metadata.ownerReferences?.find(({ controller }) => controller)
    const group = owner?.apiVersion.includes('/') ? `.${owner.apiVersion.split('/')[0]}` : ''
    return [
      metadata.name,
      owner ? `${owner.kind.toLowerCase()}${group}/${owner.name}` : NONE,
      String(revision),
      ageOf(metadata, now),
    ]
  },
}
