import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { ProtobufError } from '../../base/protobuf/wire.ts'
import type { KubeObject } from '../kube-object.ts'
import {
  decodeKubernetesProtobuf,
  decodeProtobufWatchEvent,
  encodeKubernetesProtobuf,
  encodeProtobufWatchEvent,
} from './kubernetes-protobuf.ts'
import { findType } from './type-facts.ts'

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')
const json = (value: unknown) => JSON.stringify(value)

const golden: Record<string, { object: object; bytes: string }> = {
  'maps are sorted by key, bytes are not base64': {
    object: {
      kind: 'ConfigMap',
      apiVersion: 'v1',
      metadata: { name: 'page', creationTimestamp: '2026-01-01T00:00:00Z' },
      data: { a: '1', b: '2' },
      binaryData: { c: 'AQI=' },
    },
    bytes:
      '6b3873000a0f0a0276311209436f6e6669674d617012370a1c0a047061676512001a0022002a003200380042080880f2d6ca06100012060a016112013112060a01621201321a070a0163120201021a002200',
  },
  'a kind of meta/v1 with pointers to zero': {
    object: {
      kind: 'DeleteOptions',
      apiVersion: 'v1',
      gracePeriodSeconds: 0,
      propagationPolicy: 'Background',
    },
    bytes: '6b3873000a130a027631120d44656c6574654f7074696f6e73120e0800220a4261636b67726f756e641a002200',
  },
  'micro times and a group of its own': {
    object: {
      kind: 'Lease',
      apiVersion: 'coordination.k8s.io/v1',
      metadata: { name: 'node-a' },
      spec: { holderIdentity: 'node-a', leaseDurationSeconds: 40, renewTime: '2026-01-01T00:00:00.123456Z' },
    },
    bytes:
      '6b3873000a1f0a16636f6f7264696e6174696f6e2e6b38732e696f2f763112054c6561736512310a160a066e6f64652d6112001a0022002a0032003800420012170a066e6f64652d611028220b0880f2d6ca06108094ef3a1a002200',
  },
  'a map of quantities': {
    object: {
      kind: 'LimitRange',
      apiVersion: 'v1',
      metadata: {},
      spec: { limits: [{ type: 'Container', max: { cpu: '500m' } }] },
    },
    bytes:
      '6b3873000a100a027631120a4c696d697452616e676512300a100a0012001a0022002a00320038004200121c0a1a0a09436f6e7461696e6572120d0a0363707512060a043530306d1a002200',
  },
}

for (const [title, { object, bytes }] of Object.entries(golden)) {
  test(`protobuf, to the byte: ${title}`, () => {
    assert.equal(hex(encodeKubernetesProtobuf(object as KubeObject)), bytes)
    assert.equal(json(decodeKubernetesProtobuf(Buffer.from(bytes, 'hex'))), json(object))
  })
}

/** Upstream's golden files (k8s.io/api, testdata/HEAD), where they lie beside the checkout. */
const reference = path.resolve(import.meta.dirname, '../../../../shared/reference/golden')

test('every reference object encodes to the reference bytes and back', {
  skip: !existsSync(reference),
}, () => {
  let checked = 0
  for (const file of readdirSync(reference).filter(name => name.endsWith('.json'))) {
    const object = JSON.parse(readFileSync(path.join(reference, file), 'utf8'))
    if (!findType(object.apiVersion, object.kind)) continue
    const bytes = readFileSync(path.join(reference, file.replace('.json', '.pb')))
    assert.equal(hex(encodeKubernetesProtobuf(object)), hex(bytes), file)
    assert.equal(json(decodeKubernetesProtobuf(bytes)), json(object), file)
    checked++
  }
  assert.ok(checked > 120)
})

test('lists carry their items without kind', () => {
  const list = {
    kind: 'PodList',
    apiVersion: 'v1',
    metadata: { resourceVersion: '7' },
    items: [{ metadata: { name: 'a' }, spec: { containers: [] }, status: {} }],
  }
  assert.equal(json(decodeKubernetesProtobuf(encodeKubernetesProtobuf(list))), json(list))
})

test('watch events hold a whole object', () => {
  const object = { kind: 'ConfigMap', apiVersion: 'v1', metadata: { name: 'a' }, data: { k: 'v' } }
  const event = decodeProtobufWatchEvent(encodeProtobufWatchEvent('ADDED', object))
  assert.equal(json(event), json({ type: 'ADDED', object }))
})

test('an expected type stands in for one the bytes do not name', () => {
  const bytes = Buffer.from('6b38730012020807', 'hex')
  const options = decodeKubernetesProtobuf(bytes, { apiVersion: 'v1', kind: 'DeleteOptions' })
  assert.deepEqual(options, { kind: 'DeleteOptions', apiVersion: 'v1', gracePeriodSeconds: 7 })
})

test('what is no Kubernetes protobuf is refused', () => {
  for (const bytes of ['', '6b387300', '7b7d', '6b3873000aff', '6b3873000a0412027831']) {
    assert.throws(() => decodeKubernetesProtobuf(Buffer.from(bytes, 'hex')), ProtobufError)
  }
})
