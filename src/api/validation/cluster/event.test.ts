import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createErrors, objectOf } from '../test-validation.ts'

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
