import { humanDuration } from '../../api/duration.ts'
import type { Event } from '../../api/types/core-v1.ts'
import { since } from './cells.ts'
import { column, type TableKind, wide } from './table.ts'

export const eventTable: TableKind<Event> = {
  columns: [
    column('Last Seen', 'Time since it happened last.'),
    column('Type', 'Normal or Warning.'),
    column('Reason', 'Why, in one word for programs.'),
    column('Object', 'Kind and name of the object that it is about.'),
    wide('Subobject', 'Part of the object that it is about.'),
    wide('Source', 'Component that reported it.'),
    column('Message', 'What happened, for people.'),
    wide('First Seen', 'Time since it happened first.'),
    wide('Count', 'How often it happened.'),
    { ...wide('Name', 'Name of the event.'), format: 'name' },
  ],
  cells: (event, now) => {
    const first = event.firstTimestamp ? since(event.firstTimestamp, now) : micro(event.eventTime, now)
    return [
      lastSeen(event, first, now),
      event.type ?? '',
      event.reason ?? '',
      `${(event.involvedObject.kind ?? '').toLowerCase()}/${event.involvedObject.name ?? ''}`,
      event.involvedObject.fieldPath ?? '',
      sourceOf(event),
      (event.message ?? '').trim(),
      first,
      event.series?.count || event.count || 1,
      event.metadata.name,
    ]
  },
}

function lastSeen({ series, lastTimestamp }: Event, first: string, now: number): string {
  if (series) return micro(series.lastObservedTime, now)
  return lastTimestamp ? since(lastTimestamp, now) : first
}

function micro(time: string | null | undefined, now: number): string {
  return time ? humanDuration(now - Date.parse(time)) : '<unknown>'
}

function sourceOf({ source, reportingComponent, reportingInstance }: Event): string {
  const component = source?.component || reportingComponent
  const host = source?.host || reportingInstance
  return [component ?? '', ...(host ? [host] : [])].join(', ')
}
