import type { Event as CoreEvent } from '../../api/types/core-v1.ts'
import type { Event } from '../../api/types/events-v1.ts'
import { eventTable } from './events.ts'
import type { TableKind } from './table.ts'

/** events.k8s.io/v1 prints as the core events that they are another view of. */
export const eventV1Table: TableKind<Event> = {
  columns: eventTable.columns,
  cells: (event, now) => eventTable.cells(asCoreEvent(event), now),
}

function asCoreEvent(event: Event): CoreEvent {
  const { deprecatedFirstTimestamp: firstTimestamp, deprecatedLastTimestamp: lastTimestamp } = event
  return {
    ...event,
    involvedObject: event.regarding,
    source: event.deprecatedSource,
    message: event.note,
    firstTimestamp,
    lastTimestamp,
    count: event.deprecatedCount,
    reportingComponent: event.reportingController,
  } as unknown as CoreEvent
}
