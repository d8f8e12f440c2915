import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseManifest } from './read-manifests.ts'
import { isMirrorOf, mirrorOf } from './static-pod.ts'

const manifest = (spec = '', metadata = '') => `
apiVersion: v1
kind: Pod
metadata: {name: web${metadata}}
spec:
  containers: [{name: app, image: nginx}]
${spec}`

const parse = (text: string, node = 'node-1') =>
  parseManifest(text, '/etc/web.yaml', node, '2026-01-01T00:00:00Z')

test('a static pod tells its node, its source and its manifest, and has all defaults', () => {
  const { metadata, spec } = parse(manifest())
  assert.equal(metadata.name, 'web-node-1')
  assert.equal(metadata.namespace, 'default')
  assert.match(metadata.uid, /^[0-9a-f]{32}$/)
  assert.deepEqual(metadata.annotations, {
    'kubernetes.io/config.hash': metadata.uid,
    'kubernetes.io/config.seen': '2026-01-01T00:00:00Z',
    'kubernetes.io/config.source': 'file',
  })
  assert.equal(spec.nodeName, 'node-1')
  assert.deepEqual(spec.tolerations, [{ operator: 'Exists', effect: 'NoExecute' }])
  assert.equal(spec.terminationGracePeriodSeconds, 30)
  assert.equal(spec.containers[0]!.imagePullPolicy, 'Always')
})

test('its uid changes with the manifest and with the node, and with nothing else', () => {
  const { uid } = parse(manifest()).metadata
  assert.equal(parse(manifest()).metadata.uid, uid)
  assert.notEqual(parse(manifest('  hostNetwork: true')).metadata.uid, uid)
  assert.notEqual(parse(manifest(), 'node-2').metadata.uid, uid)
  assert.equal(parse(manifest('', ', uid: mine')).metadata.uid, 'mine')
})

test('its mirror belongs to the node and names the manifest it stands for', () => {
  const pod = parse(manifest())
  const mirror = mirrorOf(pod, 'node-1', 'node-uid')
  assert.equal(mirror.metadata.annotations?.['kubernetes.io/config.mirror'], pod.metadata.uid)
  assert.deepEqual(mirror.metadata.ownerReferences, [
    { apiVersion: 'v1', kind: 'Node', name: 'node-1', uid: 'node-uid', controller: true },
  ])
  assert.equal(mirror.metadata.uid, undefined)
  assert.ok(isMirrorOf(mirror as never, pod))
  assert.ok(!isMirrorOf(mirror as never, parse(manifest('  hostNetwork: true'))))
})

const wrong: Record<string, [string, RegExp]> = {
  'a file that is no Pod': ['kind: Service\napiVersion: v1\n', /the file holds no Pod of v1/],
  'a Pod without a name': [
    'apiVersion: v1\nkind: Pod\nmetadata: {}\nspec: {}\n',
    /name is needed for the pod/,
  ],
  'a Pod that is invalid': [manifest('  restartPolicy: Sometimes'), /spec\.restartPolicy: Unsupported value/],
  'a service account': [manifest('  serviceAccountName: x'), /static pods may not reference serviceaccounts/],
  'a volume of a ConfigMap': [
    manifest('  volumes: [{name: v, configMap: {name: c}}]'),
    /static pods may not reference configmaps/,
  ],
  'a volume of a Secret': [
    manifest('  volumes: [{name: v, secret: {secretName: c}}]'),
    /static pods may not reference secrets/,
  ],
  'a pull secret': [manifest('  imagePullSecrets: [{name: s}]'), /static pods may not reference secrets/],
  'a claim': [
    manifest('  volumes: [{name: v, persistentVolumeClaim: {claimName: c}}]'),
    /static pods may not reference persistentvolumeclaims/,
  ],
  'a variable of a Secret': [
    manifest(
      '  initContainers: [{name: i, image: i, env: [{name: A, valueFrom: {secretKeyRef: {name: s, key: k}}}]}]',
    ),
    /static pods may not reference secrets/,
  ],
}

for (const [title, [text, message]] of Object.entries(wrong)) {
  test(`${title} is refused`, () => assert.throws(() => parse(text), message))
}
