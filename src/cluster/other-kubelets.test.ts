import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Node, NodeStatus } from '../api/types/core-v1.ts'
import { kubeletUrl } from './other-kubelets.ts'

const node = (status: object) => ({ metadata: { name: 'n' }, spec: {}, status: status as NodeStatus }) as Node

test('a kubelet is found at its node’s inner address and its own port', () => {
  const addresses = [
    { type: 'Hostname', address: 'n' },
    { type: 'ExternalIP', address: '198.51.100.1' },
    { type: 'InternalIP', address: '192.0.2.1' },
  ]
  const daemonEndpoints = { kubeletEndpoint: { Port: 21_250 } }
  assert.equal(kubeletUrl(node({ addresses, daemonEndpoints })), 'https://192.0.2.1:21250')
  assert.equal(kubeletUrl(node({ addresses: addresses.slice(0, 1) })), 'https://n:10250')
  assert.equal(
    kubeletUrl(node({ addresses: [{ type: 'InternalIP', address: 'fd00::1' }] })),
    'https://[fd00::1]:10250',
  )
  assert.equal(kubeletUrl(node({})), undefined)
})
