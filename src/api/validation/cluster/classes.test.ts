import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createErrors, objectOf, updateErrors } from '../test-validation.ts'

const priority = (parts: Record<string, unknown>, name = 'x') =>
  objectOf('scheduling.k8s.io/v1', 'PriorityClass', '', { value: 1, ...parts, metadata: { name } })
const runtime = (parts: Record<string, unknown>) =>
  objectOf('node.k8s.io/v1', 'RuntimeClass', '', { handler: 'runc', ...parts })
const reserved =
  "metadata.name: Forbidden: priority class names with 'system-' prefix are reserved for system use only. error:"

const created: Record<string, [ReturnType<typeof priority>, ...string[]]> = {
  'a class of a user is fine': [priority({ preemptionPolicy: 'Never' })],
  'so is the system’s own': [priority({ value: 2_000_001_000 }, 'system-node-critical')],
  'others of the system are not': [
    priority({}, 'system-mine'),
    `${reserved} system-mine is not a known system priority class`,
  ],
  'nor other values of its own': [
    priority({ value: 5 }, 'system-cluster-critical'),
    `${reserved} value of system-cluster-critical PriorityClass must be 2000000000`,
  ],
  'users have a highest': [
    priority({ value: 1_000_000_001 }),
    'value: Forbidden: maximum allowed value of a user defined priority is 1000000000',
  ],
  'preemption is known': [
    priority({ preemptionPolicy: 'Maybe' }),
    'preemptionPolicy: Unsupported value: "Maybe": supported values: "PreemptLowerPriority", "Never"',
  ],
  'a handler is a label': [
    runtime({ handler: 'a.b' }),
    "handler: Invalid value: \"a.b\": a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')",
  ],
  'overhead is of container resources': [
    runtime({ overhead: { podFixed: { pods: '1' } } }),
    'overhead.limits[pods]: Invalid value: "pods": must be a standard resource for containers',
  ],
  'tolerations are checked': [
    runtime({ scheduling: { tolerations: [{ key: 'a', operator: 'Equals' }] } }),
    'scheduling.tolerations[0].operator: Unsupported value: "Equals": supported values: "Equal", "Exists"',
  ],
}

for (const [title, [object, ...expected]] of Object.entries(created)) {
  test(`class validation: ${title}`, () => assert.deepEqual(createErrors(object), expected))
}

test('a priority keeps its value and its preemption', () => {
  const errors = updateErrors(priority({ value: 2, preemptionPolicy: 'Never' }), priority({}))
  assert.deepEqual(errors, [
    'value: Forbidden: may not be changed in an update.',
    'preemptionPolicy: Invalid value: "Never": field is immutable',
  ])
})

test('a runtime class keeps its handler', () => {
  const expected = ['handler: Invalid value: "runsc": field is immutable']
  assert.deepEqual(updateErrors(runtime({ handler: 'runsc' }), runtime({})), expected)
})
