// Events, in the shape of core/v1. Upstream: pkg/apis/core/validation/events.go.
import { isDns1123Subdomain, isPathSegmentName, isQualifiedName } from '../../names.ts'
import type { Event } from '../../types/core-v1.ts'
import { each, type FieldError, immutable, invalidValue, required, same } from '../field-error.ts'
import type { Validator } from '../validator.ts'

const MOST = { reportingInstance: 128, action: 128, reason: 128, message: 1024 }
const OTHER_NAMESPACE = 'does not match event.namespace'

/** What both versions ask. Upstream: legacyValidateEvent. */
export function validateEvent(event: Event): FieldError[] {
  const { namespace = '' } = event.metadata
  return [
    ...(event.eventTime ? validateNewEvent(event, namespace) : validateOldEvent(event, namespace)),
    ...each('namespace', namespace, isDns1123Subdomain),
  ]
}

function validateOldEvent({ involvedObject }: Event, namespace: string): FieldError[] {
  const about = involvedObject?.namespace ?? ''
  const agree = about === '' ? namespace === '' || namespace === 'default' : about === namespace
  return agree ? [] : [invalidValue('involvedObject.namespace', about, OTHER_NAMESPACE)]
}

function validateNewEvent(event: Event, namespace: string): FieldError[] {
  const { reportingComponent = '' } = event
  const errors: FieldError[] = []
  if (!event.involvedObject?.namespace && namespace !== 'default' && namespace !== 'kube-system')
    errors.push(invalidValue('involvedObject.namespace', '', OTHER_NAMESPACE))
  if (!reportingComponent) errors.push(required('reportingController'))
  errors.push(...each('reportingController', reportingComponent, isQualifiedName))
  for (const field of ['reportingInstance', 'action', 'reason', 'message'] as const) {
    const text = event[field] ?? ''
    if (!text && field !== 'message') errors.push(required(field))
    if (Buffer.byteLength(text) > MOST[field])
      errors.push(invalidValue(field, '', `can have at most ${MOST[field]} characters`))
  }
  return errors
}

/** What events.k8s.io/v1 asks besides; `old` is absent on create. Upstream: ValidateEventCreate, ValidateEventUpdate. */
export function validateStrictEvent(event: Event, old: Event | undefined): FieldError[] {
  return old ? strictUpdate(event, old) : strictCreate(event)
}

function strictCreate(event: Event): FieldError[] {
  const { metadata, eventTime, type = '', firstTimestamp, lastTimestamp, count, source } = event
  const mustBeUnset = {
    firstTimestamp,
    lastTimestamp,
    count,
    source: source?.component || source?.host,
  }
  return [
    ...each('metadata.name', metadata.name, isDns1123Subdomain),
    ...seriesErrors(event),
    ...(eventTime ? [] : [required('eventTime', '')]),
    ...(type === 'Normal' || type === 'Warning'
      ? []
      : [invalidValue('type', '', `has invalid value: ${type}`)]),
    ...Object.entries(mustBeUnset).flatMap(([field, value]) =>
      value ? [invalidValue(field, '', 'needs to be unset')] : [],
    ),
  ]
}

/** In upstream's order and by core's names. */
const FIXED: readonly (keyof Event)[] = [
  'involvedObject',
  'reason',
  'message',
  'source',
  'firstTimestamp',
  'lastTimestamp',
  'count',
  'type',
  'eventTime',
  'action',
  'related',
  'reportingComponent',
  'reportingInstance',
]

function strictUpdate(event: Event, old: Event): FieldError[] {
  return [
    ...(same(event.series, old.series) ? [] : seriesErrors(event)),
    ...FIXED.flatMap(field => {
      const name = field === 'reportingComponent' ? 'reportingController' : field
      return immutable(name, event[field], old[field])
    }),
  ]
}

function seriesErrors({ series }: Event): FieldError[] {
  if (!series) return []
  return [
    ...((series.count ?? 0) < 2 ? [invalidValue('series.count', '', 'should be at least 2')] : []),
    ...(series.lastObservedTime ? [] : [required('series.lastObservedTime', '')]),
  ]
}

/** Names of Events are made of other objects' names: whatever fits a URL path will do. */
export const eventValidator: Validator = { name: isPathSegmentName, create: validateEvent }
