import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Pod, Secret } from '../../api/types/core-v1.ts'
import type { ObjectSource } from '../containers/object-source.ts'
import { pullCredentials } from './credentials.ts'

const pod: Pod = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'pod', namespace: 'ns', uid: 'pod', resourceVersion: '1', creationTimestamp: '' },
  spec: { containers: [], imagePullSecrets: [{ name: 'secret' }] },
  status: {},
}

function sourceWith(pattern: string): ObjectSource {
  const auths = JSON.stringify({ auths: { [pattern]: { username: 'me', password: 'word' } } })
  const secret: Secret = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'secret', namespace: 'ns', uid: 'uid', resourceVersion: '1', creationTimestamp: '' },
    type: 'kubernetes.io/dockerconfigjson',
    data: { '.dockerconfigjson': Buffer.from(auths).toString('base64') },
  }
  return {
    findSecret: async () => secret,
    findConfigMap: async () => undefined,
    services: async () => [],
  }
}

const cases: [pattern: string, image: string, isFor: boolean][] = [
  ['registry.example.com', 'registry.example.com/app', true],
  ['registry.example.com', 'registry.example.org/app', false],
  ['*.example.com', 'registry.example.com/app', true],
  ['*.example.com', 'a.b.example.com/app', false],
  ['reg*.example.com', 'registry.example.com/app', true],
  ['reg*y.example.com', 'registry.example.com/app', true],
  ['reg*stry.example.com', 'regstry.example.com/app', true],
  ['reg*gistry.example.com', 'registry.example.com/app', false],
  ['r*s*y.example.com', 'registry.example.com/app', true],
  ['r*y*s.example.com', 'registry.example.com/app', false],
  ['registry+.example.com', 'registryy.example.com/app', false],
  ['*.example.com/team', 'registry.example.com/team/app', true],
  ['*.example.com/team', 'registry.example.com/other/app', false],
  [`${'*a'.repeat(30)}b.example.com`, `${'a'.repeat(200)}.example.com/app`, false],
]
for (const [pattern, image, isFor] of cases) {
  test(`credentials of ${pattern.slice(0, 30)} are ${isFor ? '' : 'not '}for ${image.slice(0, 30)}`, async () => {
    const { found } = await pullCredentials(pod, image, sourceWith(pattern))
    assert.equal(found.length, isFor ? 1 : 0)
  })
}
