import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type DeletionStep, decideDeletion, type OwnerState } from './decide-deletion.ts'

const owner = (state: OwnerState) => ({
  owner: { apiVersion: 'v1', kind: 'Pod', name: state, uid: state },
  state,
})
const solid = owner('solid')
const dangling = owner('dangling')
const waiting = owner('waiting')
const background: DeletionStep = { do: 'delete', propagationPolicy: 'Background', unblockOwners: false }

const cases: Record<
  string,
  {
    finalizers?: string[]
    owners: (typeof solid)[]
    dependents?: { deletingDependents: boolean }[]
    expected: DeletionStep
  }
> = {
  'without owners it stays': { owners: [], expected: { do: 'nothing' } },
  'with owners that stay it stays': { owners: [solid], expected: { do: 'nothing' } },
  'of several owners, those that are gone or going are dropped': {
    owners: [solid, dangling, waiting],
    expected: { do: 'keepOwners', owners: [solid.owner] },
  },
  'with no owner left it is deleted in the background': { owners: [dangling], expected: background },
  'its own orphan finalizer is honoured': {
    finalizers: ['orphan'],
    owners: [dangling],
    expected: { ...background, propagationPolicy: 'Orphan' },
  },
  'its own foreground finalizer is honoured': {
    finalizers: ['foregroundDeletion'],
    owners: [dangling],
    expected: { ...background, propagationPolicy: 'Foreground' },
  },
  'an owner that waits has it deleted in the foreground when it has dependents': {
    owners: [waiting, dangling],
    dependents: [{ deletingDependents: false }],
    expected: { ...background, propagationPolicy: 'Foreground' },
  },
  'an owner that waits has it deleted in the background when it has none': {
    owners: [waiting],
    expected: background,
  },
  'objects that own each other stop blocking each other': {
    owners: [waiting],
    dependents: [{ deletingDependents: true }],
    expected: { do: 'delete', propagationPolicy: 'Foreground', unblockOwners: true },
  },
}

for (const [title, { finalizers, owners, dependents = [], expected }] of Object.entries(cases)) {
  test(title, () => {
    assert.deepEqual(decideDeletion(finalizers ? { finalizers } : {}, owners, dependents), expected)
  })
}
