import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { KubeObject } from '../../api/kube-object.ts'
import { StatusError } from '../../api/status-error.ts'
import { generateEcKeyPair } from '../../base/x509/certificate.ts'
import { LegacyTokens } from './legacy-tokens.ts'

const owner = { namespace: 'ns', serviceAccount: 'robot', uid: 'sa-uid', secret: 's' }
const object = (uid: string, data: object = {}): KubeObject =>
  ({ apiVersion: 'v1', kind: 'X', metadata: { name: 'x', uid }, data }) as unknown as KubeObject

function place() {
  const objects = new Map<string, KubeObject>([['serviceaccounts/ns/robot', object('sa-uid')]])
  const tokens = new LegacyTokens({
    privateKey: generateEcKeyPair().privateKey,
    find: async (resource, namespace, name) => objects.get(`${resource}/${namespace}/${name}`),
  })
  const token = tokens.issue(owner)
  objects.set('secrets/ns/s', object('secret-uid', { token: Buffer.from(token).toString('base64') }))
  const shown = () => tokens.authenticate({ bearerToken: token })
  return { objects, tokens, shown }
}

test('a token that its Secret holds is the account', async () => {
  const { shown } = place()
  assert.deepEqual(await shown(), {
    name: 'system:serviceaccount:ns:robot',
    uid: 'sa-uid',
    groups: ['system:serviceaccounts', 'system:serviceaccounts:ns'],
  })
})

const ends: [title: string, change: (objects: Map<string, KubeObject>) => void][] = [
  ['its Secret', objects => objects.delete('secrets/ns/s')],
  [
    'what its Secret says',
    objects => objects.set('secrets/ns/s', object('secret-uid', { token: 'b3RoZXI=' })),
  ],
  ['its account', objects => objects.delete('serviceaccounts/ns/robot')],
  [
    'an account that is another of the same name',
    objects => objects.set('serviceaccounts/ns/robot', object('new-uid')),
  ],
]
for (const [title, change] of ends) {
  test(`a token ends with ${title}`, async () => {
    const { objects, shown } = place()
    change(objects)
    await assert.rejects(
      async () => shown(),
      (error: unknown) => error instanceof StatusError && error.status.code === 401,
    )
  })
}
