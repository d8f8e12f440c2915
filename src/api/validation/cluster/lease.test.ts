import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createErrors, objectOf } from '../test-validation.ts'

const cases: Record<string, [object, ...string[]]> = {
  'an empty lease is fine': [{}],
  'it lasts': [
    { leaseDurationSeconds: 0 },
    'spec.leaseDurationSeconds: Invalid value: 0: must be greater than 0',
  ],
  'transitions are counted up': [
    { leaseTransitions: -1 },
    'spec.leaseTransitions: Invalid value: -1: must be greater than or equal to 0',
  ],
  'strategies are known or qualified': [
    { strategy: 'Best' },
    'spec.strategy.strategy: Unsupported value: "Best": supported values: "OldestEmulationVersion"',
  ],
  'a preferred holder needs a strategy': [
    { preferredHolder: 'me' },
    'spec.preferredHolder: Forbidden: may only be specified if `strategy` is defined',
  ],
}

for (const [title, [spec, ...expected]] of Object.entries(cases)) {
  test(`lease validation: ${title}`, () => {
    assert.deepEqual(createErrors(objectOf('coordination.k8s.io/v1', 'Lease', 'd', { spec })), expected)
  })
}
