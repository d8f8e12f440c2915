import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import { configMaps, pods } from '../../api/resources.ts'
import type { Container, Pod, Volume } from '../../api/types/core-v1.ts'
import { ANNOTATION } from '../runtime-view/cri-labels.ts'
import { container, KubeletWorld } from '../testing/kubelet-world.fixture.ts'
import { podOf, spec } from '../testing/pods.fixture.ts'
import { mayPrepare } from './prepared-containers.ts'

async function inWorld(work: (world: KubeletWorld) => Promise<void>): Promise<void> {
  const world = await KubeletWorld.create()
  try {
    await work(world)
  } finally {
    await world.close()
  }
}

const prepared = (world: KubeletWorld) =>
  [...world.cri.containers.values()]
    .filter(({ config, status }) => config.annotations?.[ANNOTATION.prepared] && !status.startedAt)
    .map(({ config }) => config.metadata?.name)

const appId = (world: KubeletWorld) =>
  [...world.cri.containers].find(([, { config }]) => config.metadata?.name === 'app')![0]

/** A pod whose init container runs, with the app prepared. */
async function waiting(world: KubeletWorld, more: object = {}): Promise<Pod> {
  await world.createPod('p', {
    initContainers: [container('setup')],
    containers: [container('app', more)],
  })
  const pod = await world.until('p', one => !!one.status.initContainerStatuses?.[0]?.state.running)
  await world.untilTrue('the app is prepared', () => prepared(world).length === 1)
  return pod
}

const isRunning = (pod: Pod) => pod.status.phase === 'Running'

test('the next container is made while the one before runs, is not shown, and is the one that starts', () =>
  inWorld(async world => {
    const pod = await waiting(world)
    assert.deepEqual(pod.status.containerStatuses?.[0]?.state, { waiting: { reason: 'PodInitializing' } })
    assert.ok(!(await world.eventsOf('p')).some(text => text.includes('spec.containers{app}')))
    const id = appId(world)
    world.cri.exit('setup', 0)
    const running = await world.until('p', isRunning)
    assert.equal(running.status.containerStatuses?.[0]?.containerID, `fake://${id}`)
    assert.equal(running.status.containerStatuses?.[0]?.restartCount, 0)
    assert.equal(world.cri.calls.filter(call => call.startsWith('createContainer app')).length, 1)
  }))

test('what has changed before its turn is made anew', () =>
  inWorld(async world => {
    await world.createConfigMap('settings', { color: 'red' })
    const ref = { name: 'settings', key: 'color' }
    await waiting(world, { env: [{ name: 'COLOR', valueFrom: { configMapKeyRef: ref } }] })
    const key = { namespace: 'default', name: 'settings' }
    await world.client.patch(configMaps, key, 'application/merge-patch+json', { data: { color: 'blue' } })
    world.cri.exit('setup', 0)
    const pod = await world.until('p', isRunning)
    const apps = [...world.cri.containers.values()].filter(({ config }) => config.metadata?.name === 'app')
    assert.equal(apps.length, 1)
    assert.deepEqual(
      apps[0]!.config.envs
        ?.map(({ key, value }) => `${key}=${Buffer.from(value!)}`)
        .filter(text => /COLOR/.test(text)),
      ['COLOR=blue'],
    )
    assert.equal(pod.status.containerStatuses?.[0]?.restartCount, 0)
  }))

test('a pod that is deleted leaves nothing of what was prepared', () =>
  inWorld(async world => {
    await waiting(world)
    await world.client.delete(pods, { namespace: 'default', name: 'p' }, { gracePeriodSeconds: 0 })
    await world.untilTrue('all is gone', () => world.cri.containers.size + world.cri.sandboxes.size === 0)
    assert.ok(!world.seen.some(pod => pod.status.containerStatuses?.[0]?.state.terminated))
  }))

test('what an earlier kubelet prepared is removed, and the container still has its first start before it', () =>
  inWorld(async world => {
    await waiting(world)
    const left = appId(world)
    await world.stopKubelet()
    world.startKubelet()
    await world.untilTrue('it is removed', () => !world.cri.containers.has(left))
    world.cri.exit('setup', 0)
    const pod = await world.until('p', isRunning)
    assert.equal(pod.status.containerStatuses?.[0]?.restartCount, 0)
    const [folder] = readdirSync(join(world.dir, 'logs', 'pods'))
    assert.deepEqual(readdirSync(join(world.dir, 'logs', 'pods', folder!, 'app')), ['0.log'])
  }))

const volumes: Volume[] = [
  { name: 'empty', emptyDir: {} },
  { name: 'host', hostPath: { path: '/x' } },
  { name: 'claim', persistentVolumeClaim: { claimName: 'c' } },
]
const mounted = (name: string, more: object = {}): Partial<Container> => ({
  imagePullPolicy: 'IfNotPresent',
  volumeMounts: [{ name, mountPath: '/m', ...more }],
})

const cases: [string, Partial<Container>, boolean][] = [
  ['an image that is used as it is', { imagePullPolicy: 'IfNotPresent' }, true],
  ['an image that is asked for each time', { imagePullPolicy: 'Always' }, false],
  ['an empty directory', mounted('empty'), true],
  ['a path inside a volume, which may not be there yet', mounted('empty', { subPath: 'a' }), false],
  ['a path of the node', mounted('host'), false],
  ['a claim', mounted('claim'), false],
]

for (const [what, more, expected] of cases) {
  test(`a container with ${what} is ${expected ? '' : 'not '}prepared`, () => {
    const app = spec('app', more)
    assert.equal(mayPrepare(podOf({ volumes, containers: [app] }), app), expected)
  })
}
