import assert from 'node:assert/strict'
import { test } from 'node:test'
import { codecFromTable } from '../../base/protobuf/message-table.ts'
import { criEnums, criMessages, criRpcs, type PodSandboxConfig } from './cri.generated.ts'

const codec = codecFromTable(criMessages, criEnums)

test('every message of the CRI can be encoded and decoded', () => {
  for (const name of Object.keys(criMessages)) {
    const empty = codec.decode(name, new Uint8Array())
    assert.deepEqual(codec.decode(name, codec.encode(name, empty)), empty, name)
  }
})

test('every rpc names messages that exist and a path of its service', () => {
  assert.equal(criRpcs.length, 41)
  for (const { service, path, request, response } of criRpcs) {
    assert.ok(path.startsWith(`/runtime.v1.${service}/`))
    assert.ok(criMessages[request] !== undefined && criMessages[response] !== undefined)
  }
})

test('a sandbox configuration comes back with enums by name and absent parts filled in', () => {
  const config: PodSandboxConfig = {
    metadata: { name: 'web', uid: 'u', namespace: 'default', attempt: 1 },
    labels: { app: 'web' },
    portMappings: [{ protocol: 'UDP', containerPort: 53 }],
    linux: { securityContext: { namespaceOptions: { network: 'NODE' } } },
  }
  const read = codec.decode(
    'PodSandboxConfig',
    codec.encode('PodSandboxConfig', config),
  ) as unknown as PodSandboxConfig
  assert.deepEqual(read.metadata, config.metadata)
  assert.deepEqual(read.portMappings, [{ protocol: 'UDP', containerPort: 53, hostPort: 0, hostIp: '' }])
  assert.equal(read.linux?.securityContext?.namespaceOptions?.network, 'NODE')
  assert.equal(read.hostname, '')
  assert.deepEqual(read.annotations, {})
})
