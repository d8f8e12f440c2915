import assert from 'node:assert/strict'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Draft } from '../api/kube-object.ts'
import type { NodeAccess } from '../api/node-access.ts'
import { configMaps, nodes, pods, runtimeClasses } from '../api/resources.ts'
import type { ConfigMap, ContainerStatus, Pod } from '../api/types/core-v1.ts'
import type { RuntimeClass } from '../api/types/node-v1.ts'
import { container, KubeletWorld } from './testing/kubelet-world.fixture.ts'
import type { Mounter } from './volumes/mounter.ts'

const status = (pod: Pod, name: string): ContainerStatus | undefined =>
  [...(pod.status.initContainerStatuses ?? []), ...(pod.status.containerStatuses ?? [])].find(
    one => one.name === name,
  )

/** Remembers mounts instead of making them. */
function recordingMounter() {
  const made: string[] = []
  const mounter: Mounter = {
    tmpfs: (target, options) => made.push(`tmpfs ${target} ${options}`),
    hugetlbfs: (target, options) => made.push(`hugetlbfs ${target} ${options}`),
    bind: (_source, target) => made.push(`bind ${target}`),
    device: (source, target, type) => made.push(`device ${source} ${target} ${type}`),
    unmount: () => {},
  }
  return { made, mounter }
}

async function inWorld(work: (world: KubeletWorld, made: string[]) => Promise<void>): Promise<void> {
  const { made, mounter } = recordingMounter()
  const world = await KubeletWorld.create({ mounter })
  try {
    await work(world, made)
  } finally {
    await world.close()
  }
}

test('a postStart hook that fails stops the container and shows why', () =>
  inWorld(async world => {
    const lifecycle = { postStart: { exec: { command: ['/bin/false'] } } }
    await world.createPod('hooked', { containers: [container('app', { lifecycle })] })
    await world.untilTrue('the failure was shown', () =>
      world.seen.some(pod => status(pod, 'app')?.state.waiting?.reason === 'PostStartHookError'),
    )
    const shown = world.seen.find(pod => status(pod, 'app')?.state.waiting?.reason === 'PostStartHookError')!
    assert.match(
      status(shown, 'app')!.state.waiting!.message!,
      /^Exec lifecycle hook \(\[\/bin\/false\]\) for Container "app" in Pod "hooked_default\(.*\)" failed - error: command '\/bin\/false' exited with 1: , message: ""$/,
    )
    assert.ok((await world.eventsOf('hooked')).includes('FailedPostStartHook: PostStartHook failed'))
  }))

test('a preStop hook runs before its container is stopped', () =>
  inWorld(async world => {
    const lifecycle = { preStop: { exec: { command: ['bye'] } } }
    await world.createPod('polite', { containers: [container('app', { lifecycle })] })
    await world.until('polite', pod => pod.status.phase === 'Running')
    await world.client.delete(pods, { namespace: 'default', name: 'polite' })
    await world.untilTrue('it is gone', () => world.cri.containers.size === 0)
    assert.deepEqual(
      world.cri.calls.filter(call => /^(execSync|stopContainer)/.test(call)),
      ['execSync app bye', 'stopContainer app 30'],
    )
  }))

test('deleting again with a shorter grace shortens the wait', () =>
  inWorld(async world => {
    world.cri.stopMs.set('app', 60_000)
    await world.createPod('stubborn', { terminationGracePeriodSeconds: 60 })
    await world.until('stubborn', pod => pod.status.phase === 'Running')
    await world.client.delete(pods, { namespace: 'default', name: 'stubborn' })
    await world.untilTrue('it is being stopped', () => world.cri.calls.includes('stopContainer app 60'))
    await world.client.delete(pods, { namespace: 'default', name: 'stubborn' }, { gracePeriodSeconds: 5 })
    await world.untilTrue('the runtime is told', () => world.cri.calls.includes('stopContainer app 5'))
    await world.clock.advance(5_000)
    await world.untilTrue('it is gone', () =>
      world.pod('stubborn').then(
        () => false,
        () => true,
      ),
    )
  }))

test('a sidecar starts in its turn and keeps running beside later containers', () =>
  inWorld(async world => {
    world.cri.behaviours.set('setup', () => 0)
    const inits = [container('proxy', { restartPolicy: 'Always' }), container('setup')]
    await world.createPod('meshed', { initContainers: inits })
    const pod = await world.until(
      'meshed',
      one =>
        one.status.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True') ?? false,
    )
    assert.equal(status(pod, 'proxy')?.ready, true)
    assert.deepEqual(world.cri.running().sort(), ['app', 'proxy'])
    world.cri.exit('proxy', 1)
    const again = await world.until(
      'meshed',
      one => status(one, 'proxy')?.restartCount === 1 && !!status(one, 'proxy')?.state.running,
    )
    assert.equal(again.status.phase, 'Running')
    assert.equal(status(again, 'app')?.restartCount, 0)
  }))

test('a changed image replaces the container at once', () =>
  inWorld(async world => {
    await world.createPod('edited', {})
    await world.until('edited', pod => pod.status.phase === 'Running')
    const patch = { spec: { containers: [{ name: 'app', image: 'example/app:2' }] } }
    await world.client.patch(
      pods,
      { namespace: 'default', name: 'edited' },
      'application/strategic-merge-patch+json',
      patch,
    )
    const pod = await world.until(
      'edited',
      one => status(one, 'app')?.restartCount === 1 && !!status(one, 'app')?.state.running,
    )
    assert.equal(status(pod, 'app')?.image, 'example/app:2')
    await world.untilTrue('the event is written', async () =>
      (await world.eventsOf('edited')).includes(
        'Killing: Container app definition changed, will be restarted',
      ),
    )
  }))

test('an exit that asks for it restarts all containers in the same sandbox', () =>
  inWorld(async world => {
    world.cri.behaviours.set('setup', () => 0)
    const rule = { action: 'RestartAllContainers', exitCodes: { operator: 'In', values: [88] } }
    await world.createPod('anew', {
      initContainers: [container('setup')],
      containers: [
        container('app', { restartPolicy: 'Never', restartPolicyRules: [rule] }),
        container('other'),
      ],
    })
    const before = await world.until('anew', pod => pod.status.phase === 'Running')
    world.cri.exit('app', 88)
    const after = await world.until(
      'anew',
      pod =>
        status(pod, 'app')?.restartCount === 1 &&
        !!status(pod, 'app')?.state.running &&
        !!status(pod, 'other')?.state.running,
    )
    assert.equal(after.status.podIP, before.status.podIP)
    assert.equal(status(after, 'other')?.restartCount, 1)
    assert.equal(status(after, 'setup')?.restartCount, 1)
    assert.ok(
      world.seen.some(({ status: { conditions } }) =>
        conditions?.some(
          ({ type, status: is, reason }) =>
            type === 'AllContainersRestarting' && is === 'True' && reason === 'RestartAllContainersStarted',
        ),
      ),
    )
    assert.equal(world.cri.sandboxes.size, 1)
  }))

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

test('a pod that asks for what the node was given a moment ago is taken', () =>
  inWorld(async world => {
    await world.createPod('first', {})
    await world.until('first', one => one.status.phase === 'Running')
    const key = { name: 'node-1' }
    const type = 'application/merge-patch+json'
    await Promise.all([
      world.client.patch(nodes, key, type, { metadata: { labels: { disk: 'ssd' } } }),
      world.createPod('picky', { nodeSelector: { disk: 'ssd' }, containers: [container('app')] }),
    ])
    await world.until('picky', one => one.status.phase === 'Running')
    await world.createPod('choosy', { nodeSelector: { disk: 'hdd' }, containers: [container('app')] })
    const pod = await world.until('choosy', one => one.status.phase === 'Failed')
    assert.equal(pod.status.reason, 'NodeAffinity')
  }))

test('a pod that does not fit is rejected with the reason', () =>
  inWorld(async world => {
    await world.createPod('huge', {
      containers: [container('app', { resources: { requests: { cpu: '64' } } })],
    })
    const pod = await world.until('huge', one => one.status.phase === 'Failed')
    assert.equal(pod.status.reason, 'OutOfcpu')
    assert.equal(
      pod.status.message,
      "Pod was rejected: Node didn't have enough resource: cpu, requested: 64000, used: 0, capacity: 4000",
    )
    assert.deepEqual(world.cri.calls, [])
  }))

test('the termination message of a container shows in its status', () =>
  inWorld(async world => {
    await world.createPod('words', { restartPolicy: 'Never' })
    await world.until('words', pod => pod.status.phase === 'Running')
    const file = world.cri
      .named('app')!
      .config.mounts!.find(({ containerPath }) => containerPath === '/dev/termination-log')!
    writeFileSync(file.hostPath, 'last words')
    world.cri.exit('app', 2)
    const pod = await world.until('words', one => one.status.phase === 'Failed')
    assert.equal(status(pod, 'app')?.state.terminated?.message, 'last words')
  }))

test('logs are read by name of the container, and say what is missing', () =>
  inWorld(async world => {
    world.cri.missingImages.add('example/none:1')
    const created = await world.createPod('talk', {
      containers: [container('app'), container('late', { image: 'example/none:1' })],
    })
    await world.until(
      'talk',
      pod =>
        !!status(pod, 'app')?.state.running && status(pod, 'late')?.state.waiting?.reason === 'ErrImagePull',
    )
    writeFileSync(world.cri.named('app')!.status.logPath, '2026-01-01T00:00:00Z stdout F hello\n')
    const reference = { namespace: 'default', name: 'talk', uid: created.metadata.uid }
    const read = async (name: string, access: NodeAccess) => {
      const options = { container: name, follow: false, previous: false, timestamps: false }
      const parts: Uint8Array[] = []
      for await (const part of await access.logs('node-1', reference, options, new AbortController().signal))
        parts.push(part)
      return Buffer.concat(parts).toString()
    }
    assert.equal(await read('app', world.kubelet.nodeAccess), 'hello\n')
    await assert.rejects(read('late', world.kubelet.nodeAccess), {
      message: 'container "late" in pod "talk" is waiting to start: image can\'t be pulled',
    })
  }))

test('a sidecar of the old form starts first, ends with the others, and does not keep the pod', () =>
  inWorld(async world => {
    world.cri.commands.set('ready', () => 1)
    const readinessProbe = { exec: { command: ['ready'] }, periodSeconds: 1 }
    const proxy = container('proxy', { lifecycle: { type: 'Sidecar' }, readinessProbe })
    await world.createPod('served', { restartPolicy: 'Never', containers: [container('app'), proxy] })
    await world.untilTrue('it is probed', () => world.cri.calls.includes('execSync proxy ready'))
    const waiting = await world.pod('served')
    assert.equal(waiting.status.phase, 'Pending')
    assert.equal(status(waiting, 'app')?.state.waiting?.reason, 'PodInitializing')
    assert.deepEqual(world.cri.running(), ['proxy'])
    world.cri.commands.set('ready', () => 0)
    await world.clock.advance(1_000)
    await world.until('served', pod => pod.status.phase === 'Running')
    assert.deepEqual(world.cri.running(), ['proxy', 'app'])
    world.cri.exit('app', 0)
    const pod = await world.until('served', one => one.status.phase === 'Succeeded')
    assert.equal(status(pod, 'proxy')?.state.terminated?.exitCode, 143)
    assert.deepEqual(world.cri.running(), [])
  }))

test('the cap on restarts of the KubeletConfiguration holds', async () => {
  const configuration = { crashLoopBackOff: { maxContainerRestartPeriod: '3s' } }
  const world = await KubeletWorld.create({ configuration })
  try {
    world.cri.behaviours.set('app', () => 1)
    await world.createPod('crashing', {})
    const held = await world.until(
      'crashing',
      pod => status(pod, 'app')?.state.waiting?.reason === 'CrashLoopBackOff',
    )
    assert.match(
      status(held, 'app')!.state.waiting!.message!,
      /^back-off 3s restarting failed container=app pod=crashing_/,
    )
    await world.clock.advance(3_000)
    await world.until('crashing', pod => status(pod, 'app')?.restartCount === 2)
  } finally {
    await world.close()
  }
})

test('a container that cannot be stopped is told of and tried again', () =>
  inWorld(async world => {
    await world.createPod('stuck', {})
    await world.until('stuck', pod => pod.status.phase === 'Running')
    world.cri.failures.set('stopContainer', [new Error('the runtime is busy')])
    await world.client.delete(pods, { namespace: 'default', name: 'stuck' })
    await world.untilTrue('the event is written', async () =>
      (await world.eventsOf('stuck')).includes(
        'FailedKillPod: error killing pod: failed to "KillContainer" for "app" with KillContainerError: "the runtime is busy"',
      ),
    )
    await world.clock.advance(1_000)
    await world.untilTrue('it is gone', () => world.cri.containers.size === 0)
  }))

test('a runtime that does not answer is told of, and the pod is looked at again', () =>
  inWorld(async world => {
    await world.createPod('unseen', {})
    await world.until('unseen', pod => pod.status.phase === 'Running')
    let broken = true
    const list = world.cri.listContainers.bind(world.cri)
    world.cri.listContainers = async request => {
      if (broken) throw new Error('no answer')
      return list(request)
    }
    world.cri.restart()
    await world.clock.advance(200)
    await world.untilTrue('the event is written', async () =>
      (await world.eventsOf('unseen')).includes('FailedSync: error determining status: no answer'),
    )
    broken = false
    world.cri.exit('app', 1)
    await world.clock.advance(10_000)
    await world.until('unseen', pod => status(pod, 'app')?.restartCount === 1)
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

test('a sandbox that somebody stops is replaced at once, and everything runs again in order', () =>
  inWorld(async world => {
    world.cri.behaviours.set('setup', () => 0)
    const inits = [container('setup'), container('side', { restartPolicy: 'Always' })]
    await world.createPod('lost', { initContainers: inits })
    await world.until('lost', pod => !!status(pod, 'app')?.ready)
    const [sandbox] = [...world.cri.sandboxes.keys()]
    await world.cri.service.stopPodSandbox({ podSandboxId: sandbox! })
    const pod = await world.until(
      'lost',
      one => status(one, 'app')?.restartCount === 1 && !!status(one, 'app')?.ready,
    )
    assert.equal(status(pod, 'setup')?.restartCount, 1)
    assert.ok(
      (await world.eventsOf('lost')).includes(
        'SandboxChanged: Pod sandbox changed, it will be killed and re-created.',
      ),
    )
  }))

test('a sandbox that went unnoticed is found out when nothing can be created in it', () =>
  inWorld(async world => {
    world.cri.behaviours.set('app', attempt => (attempt === 0 ? 1 : undefined))
    await world.createPod('silent', {})
    await world.untilTrue('it runs', () => world.cri.calls.includes('startContainer app'))
    await world.until('silent', pod => !!status(pod, 'app')?.state.running)
    for (const { status: one } of world.cri.sandboxes.values()) one.state = 'SANDBOX_NOTREADY'
    world.cri.exit('app', 1)
    await world.untilTrue('another sandbox is made', async () => {
      await world.clock.advance(1_000)
      return world.cri.calls.filter(call => call === 'runPodSandbox silent').length === 2
    })
  }))

test('a critical pod has another make room for it', () =>
  inWorld(async world => {
    const asking = (cpu: string) => ({ containers: [container('app', { resources: { requests: { cpu } } })] })
    await world.createPod('plain', asking('3'))
    await world.until('plain', pod => pod.status.phase === 'Running')
    await world.createPod('critical', { ...asking('3'), priority: 2_000_000_000 })
    await world.until('critical', pod => pod.status.phase === 'Running')
    const { status: ended } = await world.until('plain', pod => pod.status.phase === 'Failed')
    assert.deepEqual(
      [ended.reason, ended.message],
      ['Preempting', 'Preempted in order to admit critical pod'],
    )
    assert.equal(
      ended.conditions?.find(({ type }) => type === 'DisruptionTarget')?.message,
      'Pod was preempted by Kubelet to accommodate a critical pod.',
    )
    assert.ok(
      (await world.eventsOf('plain')).includes('Preempting: Preempted in order to admit critical pod'),
    )
  }))

test('a RuntimeClass names the handler, and one that the runtime does not have keeps its pods waiting', () =>
  inWorld(async world => {
    const draft = { metadata: { name: 'special' }, handler: 'no-such' } as unknown as Draft<RuntimeClass>
    await world.client.create(runtimeClasses, draft)
    await world.createPod('odd', { runtimeClassName: 'special' })
    const text =
      'FailedCreatePodSandBox: Failed to create pod sandbox: no runtime for "no-such" is configured'
    await world.untilTrue('it was told', async () => (await world.eventsOf('odd')).includes(text))
    assert.equal((await world.pod('odd')).status.phase, 'Pending')
  }))

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
