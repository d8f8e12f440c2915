import assert from 'node:assert/strict'
import { test } from 'node:test'
import { flowSchemas } from '../../api/flow-control/bootstrap.ts'
import type { FlowSchema } from '../../api/types/flowcontrol-v1.ts'
import { parseRequestInfo } from '../http/request-info.ts'
import { classify, inOrder } from './classify.ts'

const all = Object.entries(flowSchemas).map(([name, spec]) => ({ metadata: { name }, spec }) as FlowSchema)

const cases: [user: string, groups: string[], method: string, path: string, schema: string][] = [
  ['kubernetes-admin', ['system:masters'], 'GET', '/api/v1/pods', 'exempt'],
  ['jane', [], 'GET', '/healthz', 'probes'],
  ['jane', [], 'GET', '/version', 'global-default'],
  [
    'system:kube-scheduler',
    [],
    'PUT',
    '/apis/coordination.k8s.io/v1/namespaces/a/leases/b',
    'system-leader-election',
  ],
  ['system:kube-scheduler', [], 'GET', '/api/v1/pods', 'kube-scheduler'],
  ['system:node:n', ['system:nodes'], 'PATCH', '/api/v1/nodes/n/status', 'system-node-high'],
  ['system:node:n', ['system:nodes'], 'GET', '/api/v1/namespaces/a/pods', 'system-nodes'],
  [
    'system:serviceaccount:kube-system:dns',
    ['system:serviceaccounts'],
    'GET',
    '/api/v1/services',
    'kube-system-service-accounts',
  ],
  ['system:serviceaccount:a:b', ['system:serviceaccounts'], 'GET', '/api/v1/services', 'service-accounts'],
]
for (const [name, groups, method, path, schema] of cases) {
  test(`${method} ${path} of ${name} belongs to ${schema}`, () => {
    const info = parseRequestInfo(method, path, new URLSearchParams())
    const user = { name, groups: [...groups, 'system:authenticated'] }
    assert.equal(
      classify(
        info,
        user,
        inOrder(all, () => true),
      )?.metadata.name,
      schema,
    )
  })
}

test('schemas whose level is missing are passed over', () => {
  const info = parseRequestInfo('GET', '/version', new URLSearchParams())
  const ordered = inOrder(all, level => level !== 'global-default')
  const user = { name: 'jane', groups: ['system:authenticated'] }
  assert.equal(classify(info, user, ordered)?.metadata.name, 'catch-all')
})
