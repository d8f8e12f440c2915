// Kinds that describe the cluster's own working: leases, priorities, runtimes, flow control.
import type { Lease } from '../../api/types/coordination-v1.ts'
import type { FlowSchema, PriorityLevelConfiguration } from '../../api/types/flowcontrol-v1.ts'
import type { RuntimeClass } from '../../api/types/node-v1.ts'
import type { PriorityClass } from '../../api/types/scheduling-v1.ts'
import { ageOf, NONE } from './cells.ts'
import { AGE, column, NAME, type TableKind } from './table.ts'

export const leaseTable: TableKind<Lease> = {
  columns: [NAME, column('Holder', 'Who holds the lease.'), AGE],
  cells: ({ metadata, spec }, now) => [metadata.name, spec.holderIdentity ?? '', ageOf(metadata, now)],
}

export const priorityClassTable: TableKind<PriorityClass> = {
  columns: [
    NAME,
    column('Value', 'The higher, the more important.', 'integer'),
    column('Global-Default', 'Whether pods without a class get this one.', 'boolean'),
    AGE,
    column('PreemptionPolicy', 'Whether its pods may push others out.'),
  ],
  cells: ({ metadata, value, globalDefault = false, preemptionPolicy }, now) => [
    metadata.name,
    value,
    globalDefault,
    ageOf(metadata, now),
    preemptionPolicy ?? '<unset>',
  ],
}

export const runtimeClassTable: TableKind<RuntimeClass> = {
  columns: [NAME, column('Handler', 'Configuration of the runtime that is used.'), AGE],
  cells: ({ metadata, handler }, now) => [metadata.name, handler, ageOf(metadata, now)],
}

export const flowSchemaTable: TableKind<FlowSchema> = {
  columns: [
    NAME,
    column('PriorityLevel', 'Priority level of matching requests.'),
    column('MatchingPrecedence', 'Order among flow schemas; the lowest that matches wins.', 'integer'),
    column('DistinguisherMethod', 'What separates flows from each other.'),
    AGE,
    column('MissingPL', 'Whether the priority level is missing.'),
  ],
  cells: ({ metadata, spec, status }, now) => [
    metadata.name,
    spec.priorityLevelConfiguration.name,
    spec.matchingPrecedence,
    spec.distinguisherMethod?.type ?? NONE,
    ageOf(metadata, now),
    status.conditions?.find(({ type }) => type === 'Dangling')?.status ?? '?',
  ],
}

export const priorityLevelTable: TableKind<PriorityLevelConfiguration> = {
  columns: [
    NAME,
    column('Type', 'Exempt or Limited.'),
    column('NominalConcurrencyShares', "Share of the server's places."),
    column('Queues', 'Number of queues.'),
    column('HandSize', 'Queues that one flow is dealt.'),
    column('QueueLengthLimit', 'Requests that one queue holds.'),
    AGE,
  ],
  cells: ({ metadata, spec }, now) => {
    const shares = spec.limited?.nominalConcurrencyShares ?? spec.exempt?.nominalConcurrencyShares
    const queuing = spec.limited?.limitResponse?.queuing
    const text = (value: number | undefined) => (value === undefined ? NONE : String(value))
    return [
      metadata.name,
      spec.type,
      text(shares),
      text(queuing?.queues),
      text(queuing?.handSize),
      text(queuing?.queueLengthLimit),
      ageOf(metadata, now),
    ]
  },
}
