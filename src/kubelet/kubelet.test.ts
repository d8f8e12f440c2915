import assert from 'node:assert/strict'
import { test } from 'node:test'
import { nodes, pods } from '../api/resources.ts'
import type { Pod } from '../api/types/core-v1.ts'
import { status } from './testing/in-world.fixture.ts'
import { container, KubeletWorld } from './testing/kubelet-world.fixture.ts'

const condition = (pod: Pod, type: string) => pod.status.conditions?.find(one => one.type === type)

/** The STATUS column of `kubectl get pods`, as far as these tests need it. */
function column({ status: { phase, initContainerStatuses = [], containerStatuses = [] } }: Pod): string {
  for (const [index, init] of initContainerStatuses.entries()) {
    if (init.state.terminated?.exitCode === 0) continue
    if (init.state.terminated) return `Init:${init.state.terminated.reason}`
    const reason = init.state.waiting?.reason
    if (reason && reason !== 'PodInitializing') return `Init:${reason}`
    return `Init:${index}/${initContainerStatuses.length}`
  }
  const waiting = containerStatuses.find(one => one.state.waiting?.reason)?.state.waiting?.reason
  const ended = containerStatuses.find(one => one.state.terminated)?.state.terminated?.reason
  return waiting ?? ended ?? phase ?? ''
}

const columns = (world: KubeletWorld, name: string) =>
  world.seen
    .filter(pod => pod.metadata.name === name)
    .map(column)
    .filter((text, index, all) => text !== all[index - 1])

test('a pod with init containers passes every visible step and runs', async () => {
  const world = await KubeletWorld.create()
  try {
    for (const init of ['init-a', 'init-b']) world.cri.behaviours.set(init, () => 0)
    await world.createPod('web', { initContainers: [container('init-a'), container('init-b')] })
    const pod = await world.until('web', one => one.status.phase === 'Running')
    await world.untilTrue('all steps are seen', () => columns(world, 'web').at(-1) === 'Running')
    assert.deepEqual(columns(world, 'web'), ['Pending', 'Init:0/2', 'Init:1/2', 'PodInitializing', 'Running'])
    assert.deepEqual(
      world.cri.calls.filter(call => call.startsWith('startContainer')),
      ['startContainer init-a', 'startContainer init-b', 'startContainer app'],
    )
    assert.equal(pod.status.podIP, '10.244.0.2')
    assert.equal(pod.status.hostIP, '192.168.1.5')
    assert.equal(pod.status.startTime, '2026-01-01T00:00:00Z')
    assert.equal(pod.status.qosClass, 'BestEffort')
    assert.deepEqual(
      pod.status.conditions?.map(({ type, status: value }) => `${type}=${value}`),
      [
        'PodReadyToStartContainers=True',
        'Initialized=True',
        'Ready=True',
        'ContainersReady=True',
        'PodScheduled=True',
      ],
    )
    assert.equal(status(pod, 'init-a')?.state.terminated?.reason, 'Completed')
    assert.equal(status(pod, 'app')?.ready, true)
    assert.equal(status(pod, 'app')?.started, true)
    await world.untilTrue('events are written', async () => (await world.eventsOf('web')).length >= 9)
    assert.deepEqual((await world.eventsOf('web')).slice(0, 3), [
      'Pulled: Container image "example/app:1" already present on machine and can be accessed by the pod',
      'Created: Container created',
      'Started: Container started',
    ])
  } finally {
    await world.close()
  }
})

test('while an init container runs, the pod is Pending and not initialized', async () => {
  const world = await KubeletWorld.create()
  try {
    await world.createPod('slow', { initContainers: [container('init-a')] })
    const pod = await world.until('slow', one => !!status(one, 'init-a')?.state.running)
    assert.equal(pod.status.phase, 'Pending')
    assert.equal(condition(pod, 'Initialized')?.reason, 'ContainersNotInitialized')
    assert.equal(condition(pod, 'Initialized')?.message, 'containers with incomplete status: [init-a]')
    assert.equal(condition(pod, 'Ready')?.message, 'containers with unready status: [app]')
    assert.equal(status(pod, 'app')?.state.waiting?.reason, 'PodInitializing')
    assert.deepEqual(world.cri.running(), ['init-a'])
  } finally {
    await world.close()
  }
})

test('a crashing container restarts at once, then backs off with CrashLoopBackOff', async () => {
  const world = await KubeletWorld.create()
  try {
    world.cri.behaviours.set('app', () => 1)
    await world.createPod('crash', {})
    const pod = await world.until(
      'crash',
      one => status(one, 'app')?.state.waiting?.reason === 'CrashLoopBackOff',
    )
    const app = status(pod, 'app')!
    assert.equal(app.restartCount, 1)
    assert.equal(app.lastState.terminated?.exitCode, 1)
    assert.equal(pod.status.phase, 'Running')
    assert.match(
      app.state.waiting?.message ?? '',
      /^back-off 10s restarting failed container=app pod=crash_default\(/,
    )
    await world.clock.advance(10_000)
    const again = await world.until('crash', one =>
      /back-off 20s/.test(status(one, 'app')?.state.waiting?.message ?? ''),
    )
    assert.equal(status(again, 'app')?.restartCount, 2)
  } finally {
    await world.close()
  }
})

test('an init container that fails under policy Never fails the pod', async () => {
  const world = await KubeletWorld.create()
  try {
    world.cri.behaviours.set('init-a', () => 3)
    await world.createPod('never', { restartPolicy: 'Never', initContainers: [container('init-a')] })
    const pod = await world.until('never', one => one.status.phase === 'Failed')
    assert.equal(status(pod, 'init-a')?.state.terminated?.exitCode, 3)
    assert.equal(condition(pod, 'Ready')?.reason, 'PodFailed')
    assert.equal(world.cri.calls.includes('startContainer app'), false)
  } finally {
    await world.close()
  }
})

test('a pod whose containers all succeed under OnFailure is Succeeded, sandbox stopped', async () => {
  const world = await KubeletWorld.create()
  try {
    world.cri.behaviours.set('app', () => 0)
    await world.createPod('job', { restartPolicy: 'OnFailure' })
    const pod = await world.until('job', one => one.status.phase === 'Succeeded')
    assert.equal(condition(pod, 'Initialized')?.reason, 'PodCompleted')
    assert.equal(condition(pod, 'ContainersReady')?.reason, 'PodCompleted')
    await world.untilTrue('sandbox stops', () =>
      [...world.cri.sandboxes.values()].every(({ status: one }) => one.state === 'SANDBOX_NOTREADY'),
    )
    assert.equal(status(pod, 'app')?.state.terminated?.reason, 'Completed')
  } finally {
    await world.close()
  }
})

test('a deleted pod is stopped, its sidecar last, and its object removed', async () => {
  const world = await KubeletWorld.create()
  try {
    const sidecar = container('proxy', { restartPolicy: 'Always' })
    await world.createPod('bye', { initContainers: [sidecar], terminationGracePeriodSeconds: 20 })
    await world.until(
      'bye',
      one => one.status.phase === 'Running' && condition(one, 'Ready')?.status === 'True',
    )
    await world.client.delete(pods, { namespace: 'default', name: 'bye' })
    await world.untilTrue('the object is gone', () =>
      world.pod('bye').then(
        () => false,
        () => true,
      ),
    )
    assert.deepEqual(
      world.cri.calls.filter(call => call.startsWith('stop')),
      ['stopContainer app 20', 'stopContainer proxy 20', 'stopPodSandbox bye'],
    )
    await world.untilTrue(
      'nothing is left in the runtime',
      () => world.cri.sandboxes.size === 0 && world.cri.containers.size === 0,
    )
  } finally {
    await world.close()
  }
})

test('a pod deleted by force is stopped although the API knows it no more', async () => {
  const world = await KubeletWorld.create()
  try {
    await world.createPod('forced', {})
    await world.until('forced', one => one.status.phase === 'Running')
    await world.client.delete(pods, { namespace: 'default', name: 'forced' }, { gracePeriodSeconds: 0 })
    await world.untilTrue('containers are gone', () => world.cri.containers.size === 0)
    assert.deepEqual(world.cri.running(), [])
  } finally {
    await world.close()
  }
})

test('a lost sandbox brings everything up again, init containers first', async () => {
  const world = await KubeletWorld.create()
  try {
    world.cri.behaviours.set('init-a', () => 0)
    await world.createPod('again', { initContainers: [container('init-a')] })
    await world.until('again', one => one.status.phase === 'Running')
    world.cri.loseSandboxes()
    const pod = await world.until(
      'again',
      one => (status(one, 'app')?.restartCount ?? 0) === 1 && one.status.phase === 'Running',
    )
    assert.equal(status(pod, 'init-a')?.restartCount, 1)
    assert.deepEqual(
      world.cri.calls.filter(call => call.startsWith('startContainer')),
      ['startContainer init-a', 'startContainer app', 'startContainer init-a', 'startContainer app'],
    )
    await world.untilTrue('the event is written', async () =>
      (await world.eventsOf('again')).includes(
        'SandboxChanged: Pod sandbox changed, it will be killed and re-created.',
      ),
    )
  } finally {
    await world.close()
  }
})

test('a restarted kubelet takes running pods back and stops those the API forgot', async () => {
  const world = await KubeletWorld.create()
  try {
    await world.createPod('kept', {})
    await world.createPod('orphan', {})
    await world.until('kept', one => one.status.phase === 'Running')
    await world.until('orphan', one => one.status.phase === 'Running')
    await world.stopKubelet()
    await world.client.delete(pods, { namespace: 'default', name: 'orphan' }, { gracePeriodSeconds: 0 })
    world.startKubelet()
    await world.untilTrue('the orphan is gone', () => world.cri.containers.size === 1)
    assert.deepEqual(world.cri.calls.filter(call => call.startsWith('startContainer')).length, 2)
    assert.equal((await world.pod('kept')).status.containerStatuses?.[0]?.restartCount, 0)
  } finally {
    await world.close()
  }
})

test('an image that cannot be pulled shows ErrImagePull, then ImagePullBackOff', async () => {
  const world = await KubeletWorld.create()
  try {
    world.cri.missingImages.add('example/none:1')
    await world.createPod('noimage', { containers: [container('app', { image: 'example/none:1' })] })
    const failed = await world.until(
      'noimage',
      one => status(one, 'app')?.state.waiting?.reason === 'ErrImagePull',
    )
    assert.equal(status(failed, 'app')?.state.waiting?.message, 'manifest for example/none:1 not found: 404')
    await world.clock.advance(1_000)
    const backOff = await world.until(
      'noimage',
      one => status(one, 'app')?.state.waiting?.reason === 'ImagePullBackOff',
    )
    assert.equal(
      status(backOff, 'app')?.state.waiting?.message,
      'Back-off pulling image "example/none:1": ErrImagePull: manifest for example/none:1 not found: 404',
    )
    assert.equal(backOff.status.phase, 'Pending')
    world.cri.missingImages.clear()
    await world.clock.advance(10_000)
    await world.until('noimage', one => one.status.phase === 'Running')
  } finally {
    await world.close()
  }
})

test('a missing ConfigMap holds the pod back until it is there', async () => {
  const world = await KubeletWorld.create()
  try {
    const mounted = container('app', { volumeMounts: [{ name: 'config', mountPath: '/config' }] })
    await world.createPod('mounts', {
      containers: [mounted],
      volumes: [{ name: 'config', configMap: { name: 'page' } }],
    })
    await world.untilTrue('the failure is told', async () =>
      (await world.eventsOf('mounts')).includes(
        'FailedMount: MountVolume.SetUp failed for volume "config" : configmap "page" not found',
      ),
    )
    assert.equal(status(await world.pod('mounts'), 'app')?.state.waiting?.reason, 'ContainerCreating')
    await world.createConfigMap('page', { 'index.html': 'hello' })
    await world.until('mounts', one => one.status.phase === 'Running')
  } finally {
    await world.close()
  }
})

test('activeDeadlineSeconds fails the pod and stops it', async () => {
  const world = await KubeletWorld.create()
  try {
    await world.createPod('late', { activeDeadlineSeconds: 30 })
    await world.until('late', one => one.status.phase === 'Running')
    await world.clock.advance(30_000)
    const pod = await world.until('late', one => one.status.phase === 'Failed')
    assert.equal(pod.status.reason, 'DeadlineExceeded')
    assert.equal(pod.status.message, 'Pod was active on the node longer than the specified deadline')
    assert.deepEqual(world.cri.running(), [])
  } finally {
    await world.close()
  }
})

test('the node is registered with its facts and is Ready', async () => {
  const world = await KubeletWorld.create()
  try {
    await world.untilTrue('the node is there', () =>
      world.client.get(nodes, { name: 'node-1' }).then(
        () => true,
        () => false,
      ),
    )
    const node = await world.client.get(nodes, { name: 'node-1' })
    assert.equal(node.metadata.labels?.['kubernetes.io/hostname'], 'node-1')
    assert.equal(node.spec.podCIDR, '10.244.0.0/24')
    await world.untilTrue(
      'it is Ready',
      async () =>
        !!(await world.client.get(nodes, { name: 'node-1' })).status.conditions?.some(
          ({ type, status: value, message }) =>
            type === 'Ready' && value === 'True' && message === 'kubelet is posting ready status',
        ),
    )
    assert.equal(node.status.nodeInfo?.kubeletVersion, 'v1.36.2')
  } finally {
    await world.close()
  }
})
