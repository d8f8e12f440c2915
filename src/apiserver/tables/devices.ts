import type { ResourceClaim, ResourceSlice } from '../../api/types/resource-v1.ts'
import { ageOf } from './cells.ts'
import { AGE, column, NAME, type TableKind } from './table.ts'

export const resourceClaimTable: TableKind<ResourceClaim> = {
  columns: [
    NAME,
    column('State', 'Whether devices are allocated for it, and whether somebody uses them.'),
    AGE,
  ],
  cells: (claim, now) => [claim.metadata.name, stateOf(claim), ageOf(claim.metadata, now)],
}

/** Upstream: resourceClaimState. */
function stateOf({ metadata, status }: ResourceClaim): string {
  const isGoing = metadata.deletionTimestamp !== undefined
  const isAllocated = status?.allocation !== undefined
  const isReserved = isAllocated && (status.reservedFor ?? []).length > 0
  return [
    ...(isGoing ? ['deleted'] : []),
    ...(isAllocated ? ['allocated'] : isGoing ? [] : ['pending']),
    ...(isReserved ? ['reserved'] : []),
  ].join(',')
}

export const resourceSliceTable: TableKind<ResourceSlice> = {
  columns: [
    NAME,
    column('Node', 'Node that has the devices.'),
    column('Driver', 'Whose devices they are.'),
    column('Pool', 'Pool they belong to.'),
    AGE,
  ],
  cells: ({ metadata, spec }, now) => [
    metadata.name,
    spec.nodeName ?? '<unset>',
    spec.driver,
    spec.pool.name,
    ageOf(metadata, now),
  ],
}

export const plainTable: TableKind<ResourceClaim> = {
  columns: [NAME, AGE],
  cells: ({ metadata }, now) => [metadata.name, ageOf(metadata, now)],
}
