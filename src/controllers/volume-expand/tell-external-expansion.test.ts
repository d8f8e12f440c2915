import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { PersistentVolumeClaim } from '../../api/types/core-v1.ts'
import { isToGrow } from './tell-external-expansion.ts'

const claim = (wanted: string, has?: string) =>
  ({
    spec: { volumeName: 'v', resources: { requests: { storage: wanted } } },
    status: has ? { phase: 'Bound', capacity: { storage: has } } : { phase: 'Pending' },
  }) as unknown as PersistentVolumeClaim

const cases: Record<string, [PersistentVolumeClaim, PersistentVolumeClaim | undefined, boolean]> = {
  'a claim that asks for more than it has': [claim('2Gi', '1Gi'), claim('1Gi', '1Gi'), true],
  'one that was seen to do so before': [claim('2Gi', '1Gi'), claim('2Gi', '1Gi'), false],
  'one that does so when it is seen first': [claim('2Gi', '1Gi'), undefined, true],
  'one that has as much': [claim('2Gi', '2048Mi'), undefined, false],
  'one that has got more than it asked for': [claim('2Gi', '3Gi'), claim('1Gi', '3Gi'), false],
  'one that has no volume yet': [claim('2Gi'), undefined, false],
}
for (const [title, [now, before, expected]] of Object.entries(cases))
  test(`is to grow: ${title}`, () => assert.equal(isToGrow(now, before), expected))
