import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Event } from '../../types/core-v1.ts'
import { createErrors, objectOf } from '../test-validation.ts'
import { validateStrictEvent } from './event.ts'

const event = (namespace: string, parts: Record<string, unknown>) => objectOf('v1', 'Event', namespace, parts)
const inNamespace = { involvedObject: { namespace: 'd' } }
const newEvent = {
  ...inNamespace,
  eventTime: '2026-01-01T00:00:00.000000Z',
  reportingComponent: 'example.com/me',
  reportingInstance: 'me-1',
  action: 'Test',
  reason: 'Tested',
}

const cases: Record<string, [ReturnType<typeof event>, ...string[]]> = {
  'an old event is fine': [event('d', inNamespace)],
  'it may be called like a role': [event('d', { ...inNamespace, metadata: { name: 'system:node.1f' } })],
  'it is where its object is': [
    event('other', inNamespace),
    'involvedObject.namespace: Invalid value: "d": does not match event.namespace',
  ],
  'events of what has no namespace are in default': [event('default', { involvedObject: {} })],
  'and nowhere else': [
    event('d', { involvedObject: {} }),
    'involvedObject.namespace: Invalid value: "": does not match event.namespace',
  ],
  'a new event is fine': [event('d', newEvent)],
  'it says who, what and why': [
    event('d', { ...newEvent, reportingInstance: '', action: '', reason: '' }),
    'reportingInstance: Required value',
    'action: Required value',
    'reason: Required value',
  ],
  'in few words': [
    event('d', { ...newEvent, reason: 'r'.repeat(129), message: 'm'.repeat(1025) }),
    'reason: Invalid value: "": can have at most 128 characters',
    'message: Invalid value: "": can have at most 1024 characters',
  ],
}

for (const [title, [object, ...expected]] of Object.entries(cases)) {
  test(`event validation: ${title}`, () => assert.deepEqual(createErrors(object), expected))
}

const strict = (change: object, old?: object): string[] => {
  const made = (parts: object) => event('d', { ...newEvent, type: 'Normal', ...parts }) as unknown as Event
  const errors = validateStrictEvent(made(change), old && made(old))
  return errors.map(({ field, message }) => `${field}: ${message}`)
}
const series = { count: 2, lastObservedTime: '2026-01-01T00:00:00.000000Z' }

test('the new API wants events of the new kind', () => {
  assert.deepEqual(strict({ series }), [])
  assert.deepEqual(strict({ eventTime: undefined, type: 'Odd', count: 3, series: { count: 1 } }), [
    'series.count: Invalid value: "": should be at least 2',
    'series.lastObservedTime: Required value',
    'eventTime: Required value',
    'type: Invalid value: "": has invalid value: Odd',
    'count: Invalid value: "": needs to be unset',
  ])
})

test('in the new API only the series changes', () => {
  assert.deepEqual(strict({ series: { ...series, count: 3 } }, { series }), [])
  assert.deepEqual(strict({ message: 'other', reportingComponent: 'b' }, { message: 'one' }), [
    'message: Invalid value: "other": field is immutable',
    'reportingController: Invalid value: "b": field is immutable',
  ])
})
