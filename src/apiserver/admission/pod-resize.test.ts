import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pods } from '../../api/resources.ts'
import type { StatusError } from '../../api/status-error.ts'
import type { AdmissionAttributes } from './admission.ts'
import { podResize } from './pod-resize.ts'

const nodes: Record<string, object> = {
  linux: { metadata: { name: 'linux' }, status: { allocatable: { cpu: '4', memory: '1Gi' } } },
  other: { metadata: { name: 'other', labels: { 'kubernetes.io/os': 'windows' } }, status: {} },
}
const plugin = podResize({ node: name => nodes[name] as never })

function attempt(
  requests: object,
  { nodeName = 'linux', generation = 2, subresource = 'resize' as string } = {},
) {
  const podOf = (number: number) => ({
    metadata: { name: 'p', generation: number },
    spec: { nodeName, containers: [{ name: 'c', resources: { requests } }] },
  })
  const attributes = {
    operation: 'UPDATE',
    resource: pods,
    subresource,
    name: 'p',
    object: podOf(generation),
    oldObject: podOf(1),
  }
  plugin.validate!(attributes as unknown as AdmissionAttributes)
}

const refused: [title: string, run: () => void, message: string, cause?: string][] = [
  [
    'more than the node has',
    () => attempt({ cpu: '5' }),
    'pods "p" is forbidden: node didn\'t have enough allocatable resources: cpu, requested: 5000, allocatable: 4000',
    'NodeCapacity',
  ],
  [
    'of both',
    () => attempt({ cpu: '5', memory: '2Gi' }),
    'pods "p" is forbidden: node didn\'t have enough allocatable resources: cpu, requested: 5000, allocatable: 4000; memory, requested: 2147483648, allocatable: 1073741824',
    'NodeCapacity',
  ],
  [
    'on a node of another system',
    () => attempt({}, { nodeName: 'other' }),
    'pods "p" is forbidden: pod resize is only supported on linux nodes, node "other" is "windows"',
    'UnsupportedPlatform',
  ],
  [
    'on a node that is not there',
    () => attempt({}, { nodeName: 'gone' }),
    'pods "p" is forbidden: node "gone" not found',
  ],
]

for (const [title, run, message, cause] of refused) {
  test(`a resize is refused: ${title}`, () => {
    assert.throws(run, (error: StatusError) => {
      assert.equal(error.status.message, message)
      assert.equal(error.status.code, 403)
      assert.equal(error.status.details?.causes?.[0]?.reason, cause)
      return true
    })
  })
}

test('what fits passes, and so does what is no resize', () => {
  attempt({ cpu: '4', memory: '1Gi' })
  attempt({ cpu: '5' }, { generation: 1 })
  attempt({ cpu: '5' }, { nodeName: '' })
  attempt({ cpu: '5' }, { subresource: 'status' })
})
