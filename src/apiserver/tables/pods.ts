import type { Pod, PodTemplate } from '../../api/types/core-v1.ts'
import { ageOf, containerCells, formatLabels, NONE } from './cells.ts'
import { summarizePod } from './pod-summary.ts'
import { AGE, column, NAME, type RowCondition, type TableKind, wide } from './table.ts'

const SUCCEEDED: RowCondition = {
  type: 'Completed',
  status: 'True',
  reason: 'Succeeded',
  message: 'The pod has completed successfully.',
}
const FAILED: RowCondition = {
  type: 'Completed',
  status: 'True',
  reason: 'Failed',
  message: 'The pod failed.',
}

export const podTable: TableKind<Pod> = {
  columns: [
    NAME,
    column('Ready', 'Containers that are ready, of all that count towards readiness.'),
    column('Status', 'What the pod is doing, in one word.'),
    column('Restarts', 'How often containers were restarted, and when last.'),
    AGE,
    wide('IP', 'Address of the pod in the cluster network.'),
    wide('Node', 'Node that the pod is bound to.'),
    wide('Nominated Node', 'Node where room is being made for the pod.'),
    wide('Readiness Gates', 'Readiness gates that are true, of all.'),
  ],
  cells: (pod, now) => {
    const { ready, status, restarts } = summarizePod(pod, now)
    return [
      pod.metadata.name,
      ready,
      status,
      restarts,
      ageOf(pod.metadata, now),
      pod.status.podIPs?.[0]?.ip || pod.status.podIP || NONE,
      pod.spec.nodeName || NONE,
      pod.status.nominatedNodeName || NONE,
      readinessGates(pod),
    ]
  },
  conditions: ({ status: { phase } }) =>
    phase === 'Succeeded' ? [SUCCEEDED] : phase === 'Failed' ? [FAILED] : [],
}

function readinessGates({ spec, status }: Pod): string {
  const gates = spec.readinessGates ?? []
  if (gates.length === 0) return NONE
  const isTrue = (wanted: string) =>
    status.conditions?.some(condition => condition.type === wanted && condition.status === 'True')
  return `${gates.filter(({ conditionType }) => isTrue(conditionType)).length}/${gates.length}`
}

export const podTemplateTable: TableKind<PodTemplate> = {
  columns: [
    NAME,
    column('Containers', 'Names of the containers in the template.'),
    column('Images', 'Images of the containers in the template.'),
    column('Pod Labels', 'Labels that pods of this template get.'),
  ],
  cells: ({ metadata, template }) => [
    metadata.name,
    ...containerCells(template.spec),
    formatLabels(template.metadata?.labels),
  ],
}
