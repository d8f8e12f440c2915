import assert from 'node:assert/strict'
import { test } from 'node:test'
import { flowSchemas, priorityLevels } from '../flow-control/bootstrap.ts'
import { createErrors, objectOf, updateErrors } from './test-validation.ts'

const VERSION = 'flowcontrol.apiserver.k8s.io/v1'
const schema = (spec: object, name = 'x') =>
  objectOf(VERSION, 'FlowSchema', '', {
    metadata: { name },
    spec: { matchingPrecedence: 1000, priorityLevelConfiguration: { name: 'global-default' }, ...spec },
  })
const level = (spec: object, name = 'x') =>
  objectOf(VERSION, 'PriorityLevelConfiguration', '', { metadata: { name }, spec: spec as never })
const rule = (parts: object) => ({
  rules: [
    {
      subjects: [{ kind: 'User', user: { name: 'u' } }],
      nonResourceRules: [{ verbs: ['*'], nonResourceURLs: ['*'] }],
      ...parts,
    },
  ],
})
const limited = (parts: object) => ({
  type: 'Limited',
  limited: { nominalConcurrencyShares: 1, limitResponse: { type: 'Reject' }, ...parts },
})

test('the schemas and levels that every cluster has are as they must be', () => {
  for (const [name, spec] of Object.entries(flowSchemas))
    assert.deepEqual(createErrors(schema(spec, name)), [])
  for (const [name, spec] of Object.entries(priorityLevels)) {
    assert.deepEqual(createErrors(level(spec, name)), [])
  }
})

const wrong: [object: ReturnType<typeof schema>, message: string][] = [
  [
    schema({ matchingPrecedence: -1 }),
    'spec.matchingPrecedence: Invalid value: -1: must be a positive value',
  ],
  [
    schema({ matchingPrecedence: 1 }),
    "spec.matchingPrecedence: Invalid value: 1: only the schema named 'exempt' may have matchingPrecedence 1",
  ],
  [
    schema({ matchingPrecedence: 10001 }),
    'spec.matchingPrecedence: Invalid value: 10001: must not be greater than 10000',
  ],
  [
    schema({ priorityLevelConfiguration: {} }),
    'spec.priorityLevelConfiguration.name: Required value: must reference a priority level',
  ],
  [
    schema(rule({ subjects: [{ kind: 'Group', user: { name: 'u' } }] })),
    "spec.rules[0].subjects[0].user: Forbidden: user is forbidden when subject kind is not 'User'",
  ],
  [
    schema(rule({ nonResourceRules: [] })),
    'spec.rules[0]: Required value: at least one of resourceRules and nonResourceRules has to be non-empty',
  ],
  [
    schema(rule({ nonResourceRules: [{ verbs: ['*'], nonResourceURLs: ['/a*'] }] })),
    'spec.rules[0].nonResourceRules[0].nonResourceURLs[0]: Invalid value: "/a*": wildcard can only do suffix matching',
  ],
  [
    level(limited({ nominalConcurrencyShares: -2 })),
    'spec.limited.nominalConcurrencyShares: Invalid value: -2: must be a non-negative integer',
  ],
  [
    level(limited({ limitResponse: { type: 'Queue' } })),
    'spec.limited.limitResponse.queuing: Required value: must not be empty if limited.limitResponse.type is Limited',
  ],
  [
    level(
      limited({
        limitResponse: { type: 'Queue', queuing: { queues: 4, handSize: 5, queueLengthLimit: 1 } },
      }),
    ),
    'spec.limited.limitResponse.queuing.handSize: Invalid value: 5: should not be greater than queues (4)',
  ],
  [level({ type: 'Limited' }), 'spec.limited: Required value: must not be empty when type is Limited'],
]
for (const [object, message] of wrong) {
  test(message, () => assert.ok(createErrors(object).includes(message), createErrors(object).join('\n')))
}

test('the mandatory ones cannot be changed', () => {
  const [text = ''] = createErrors(
    schema({ ...flowSchemas['catch-all']!, matchingPrecedence: 9 }, 'catch-all'),
  )
  assert.match(text, /spec of 'catch-all' must equal the fixed value$/)
  const shares = { ...priorityLevels.exempt!, exempt: { nominalConcurrencyShares: 5 } }
  assert.deepEqual(createErrors(level(shares, 'exempt')), [])
})

test('a status has each condition once', () => {
  const old = schema({})
  const conditions = [{ type: 'A' }, { type: 'A' }]
  assert.deepEqual(updateErrors({ ...old, status: { conditions } }, old, 'status'), [
    'status.conditions[1].type: Duplicate value: "A"',
  ])
})
