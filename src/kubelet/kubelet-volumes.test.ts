// What pods find where they mounted it.
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { configMaps } from '../api/resources.ts'
import type { ConfigMap } from '../api/types/core-v1.ts'
import { inWorld, status } from './testing/in-world.fixture.ts'
import { container } from './testing/kubelet-world.fixture.ts'

test('a mounted ConfigMap follows its object', () =>
  inWorld(async world => {
    await world.createConfigMap('page', { 'index.html': 'hello' })
    const mounted = container('app', { volumeMounts: [{ name: 'config', mountPath: '/config' }] })
    const created = await world.createPod('live', {
      containers: [mounted],
      volumes: [{ name: 'config', configMap: { name: 'page' } }],
    })
    await world.until('live', pod => pod.status.phase === 'Running')
    const file = join(
      world.dir,
      'kubelet/pods',
      created.metadata.uid,
      'volumes/kubernetes.io~configmap/config/index.html',
    )
    assert.equal(readFileSync(file, 'utf8'), 'hello')
    const mount = world.cri
      .named('app')!
      .config.mounts!.find(({ containerPath }) => containerPath === '/config')
    assert.equal(mount?.readonly, true)
    const next = { metadata: { name: 'page', namespace: 'default' }, data: { 'index.html': 'changed' } }
    await world.client.update(configMaps, next as unknown as ConfigMap)
    await world.untilTrue('the file follows', () => readFileSync(file, 'utf8') === 'changed')
  }))

test('what an optional ConfigMap brought goes with it, and comes back', () =>
  inWorld(async world => {
    await world.createConfigMap('extra', { key: 'there' })
    const created = await world.createPod('optional', {
      containers: [container('app', { volumeMounts: [{ name: 'extra', mountPath: '/extra' }] })],
      volumes: [{ name: 'extra', configMap: { name: 'extra', optional: true } }],
    })
    await world.until('optional', pod => pod.status.phase === 'Running')
    const volumes = join(world.dir, 'kubelet/pods', created.metadata.uid, 'volumes')
    const file = join(volumes, 'kubernetes.io~configmap/extra/key')
    assert.ok(existsSync(file))
    await world.client.delete(configMaps, { namespace: 'default', name: 'extra' })
    await world.untilTrue('the file is gone', () => !existsSync(file))
    await world.createConfigMap('extra', { key: 'again' })
    await world.untilTrue('the file is back', () => existsSync(file))
  }))

test('a service account token is bound to the pod and mounted', () =>
  inWorld(async world => {
    const { serviceAccounts } = await import('../api/resources.ts')
    await world.client.create(serviceAccounts, {
      metadata: { name: 'default', namespace: 'default' },
    } as never)
    const mounted = container('app', { volumeMounts: [{ name: 'token', mountPath: '/token' }] })
    const sources = [
      { serviceAccountToken: { path: 'token', expirationSeconds: 3600 } },
      { downwardAPI: { items: [{ path: 'ns', fieldRef: { fieldPath: 'metadata.namespace' } }] } },
    ]
    const created = await world.createPod('secure', {
      serviceAccountName: 'default',
      containers: [mounted],
      volumes: [{ name: 'token', projected: { sources } }],
    })
    await world.until('secure', pod => pod.status.phase === 'Running')
    const dir = join(world.dir, 'kubelet/pods', created.metadata.uid, 'volumes/kubernetes.io~projected/token')
    assert.equal(readFileSync(join(dir, 'token'), 'utf8'), 'token-for-secure')
    assert.equal(readFileSync(join(dir, 'ns'), 'utf8'), 'default')
  }))

test('memory volumes are tmpfs with their limit, sub paths are bound, /etc/hosts is managed', () =>
  inWorld(async (world, made) => {
    const mounts = [
      { name: 'cache', mountPath: '/cache' },
      { name: 'data', mountPath: '/data', subPath: 'a/b' },
    ]
    const created = await world.createPod('mounted', {
      containers: [container('app', { volumeMounts: mounts })],
      volumes: [
        { name: 'cache', emptyDir: { medium: 'Memory', sizeLimit: '1Mi' } },
        { name: 'data', emptyDir: {} },
      ],
      hostAliases: [{ ip: '1.2.3.4', hostnames: ['friend'] }],
    })
    await world.until('mounted', pod => pod.status.phase === 'Running')
    const root = join(world.dir, 'kubelet/pods', created.metadata.uid)
    assert.deepEqual(made, [
      `tmpfs ${root}/volumes/kubernetes.io~empty-dir/cache mode=1777,size=1048576`,
      `bind ${root}/volume-subpaths/data/app/1`,
    ])
    assert.ok(existsSync(join(root, 'volumes/kubernetes.io~empty-dir/data/a/b')))
    const hosts = readFileSync(join(root, 'etc-hosts'), 'utf8')
    assert.match(hosts, /^# Kubernetes-managed hosts file\.\n127\.0\.0\.1\tlocalhost\n/)
    assert.match(hosts, /\n10\.244\.0\.2\tmounted\n\n# Entries added by HostAliases\.\n1\.2\.3\.4\tfriend\n$/)
  }))

test('a volume type that is not supported says so once per try', () =>
  inWorld(async world => {
    const mounted = container('app', { volumeMounts: [{ name: 'v', mountPath: '/v' }] })
    await world.createPod('nfs', {
      containers: [mounted],
      volumes: [{ name: 'v', nfs: { server: 's', path: '/p' } }],
    })
    await world.untilTrue('the event is written', async () =>
      (await world.eventsOf('nfs')).includes(
        'FailedMount: MountVolume.SetUp failed for volume "v" : volumes of type nfs are not supported on this node',
      ),
    )
    assert.equal((await world.pod('nfs')).status.phase, 'Pending')
  }))

const badPaths: [string, string][] = [
  ['/etc', 'error SubPath `/etc` must not be an absolute path'],
  ['a/../../b', "unable to provision SubPath `a/../../b`: must not contain '..'"],
]

for (const [value, message] of badPaths) {
  test(`an expression that comes to the path ${value} is refused`, () =>
    inWorld(async world => {
      const mounted = container('app', {
        env: [{ name: 'WHERE', valueFrom: { fieldRef: { fieldPath: "metadata.annotations['where']" } } }],
        volumeMounts: [{ name: 'v', mountPath: '/v', subPathExpr: '$(WHERE)' }],
      })
      const spec = { containers: [mounted], volumes: [{ name: 'v', emptyDir: {} }] }
      await world.createPod('expression', spec, { annotations: { where: value } })
      const pod = await world.until('expression', one => !!status(one, 'app')?.state.waiting?.message)
      assert.deepEqual(status(pod, 'app')?.state.waiting, { reason: 'CreateContainerConfigError', message })
    }))
}

test('an image volume is pulled for its container and handed to the runtime, with the path inside it', () =>
  inWorld(async world => {
    const volumeMounts = [{ name: 'files', mountPath: '/files', subPath: 'etc' }]
    await world.createPod('sighted', {
      volumes: [{ name: 'files', image: { reference: 'example/files:1', pullPolicy: 'Always' } }],
      containers: [container('app', { volumeMounts })],
    })
    await world.until('sighted', pod => pod.status.phase === 'Running')
    assert.ok(world.cri.calls.includes('pullImage example/files:1'))
    const { mounts = [] } = world.cri.named('app')!.config
    const mount = mounts.find(({ containerPath }) => containerPath === '/files')!
    assert.deepEqual([mount.hostPath, mount.readonly, mount.imageSubPath], ['', true, 'etc'])
    assert.match(mount.image!.image, /^sha256:/)
  }))

test('an image volume that cannot be pulled keeps its container waiting as the container’s own image would', () =>
  inWorld(async world => {
    world.cri.missingImages.add('example/none:1')
    await world.createPod('blind', {
      volumes: [{ name: 'files', image: { reference: 'example/none:1', pullPolicy: 'Always' } }],
      containers: [container('app', { volumeMounts: [{ name: 'files', mountPath: '/files' }] })],
    })
    const shown = await world.until(
      'blind',
      pod => !!status(pod, 'app')?.state.waiting?.reason?.match(/Pull/),
    )
    assert.equal(status(shown, 'app')!.state.waiting!.reason, 'ErrImagePull')
    assert.equal(world.cri.named('app'), undefined)
  }))
