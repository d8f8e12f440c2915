import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fitErrorMessage } from './fit-error.ts'
import { unresolvable, unschedulable } from './framework.ts'

test('each reason is counted over the nodes and the list is sorted as text', () => {
  const message = fitErrorMessage({
    nodeCount: 3,
    rejections: [
      unschedulable('Insufficient memory', 'Insufficient cpu'),
      unschedulable('Insufficient cpu'),
      unresolvable('node(s) were unschedulable'),
    ],
  })
  assert.equal(
    message,
    '0/3 nodes are available: 1 Insufficient memory, 1 node(s) were unschedulable, 2 Insufficient cpu.',
  )
})

test('a reason found before any node was looked at replaces the list, and preemption is told after it', () => {
  const help = 'preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.'
  assert.equal(
    fitErrorMessage({
      nodeCount: 1,
      rejections: [],
      early: 'persistentvolumeclaim "x" not found',
      help,
    }),
    `0/1 nodes are available: persistentvolumeclaim "x" not found. ${help}`,
  )
})

test('a cluster without nodes says so', () => {
  assert.equal(fitErrorMessage({ nodeCount: 0, rejections: [] }), 'no nodes available to schedule pods')
})
