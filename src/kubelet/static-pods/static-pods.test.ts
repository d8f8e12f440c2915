import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { nodes, pods } from '../../api/resources.ts'
import type { Pod } from '../../api/types/core-v1.ts'
import { container, KubeletWorld } from '../testing/kubelet-world.fixture.ts'

interface Static {
  world: KubeletWorld
  dir: string
  write(text: string, file?: string): void
  restart(): Promise<void>
}

async function inWorld(work: (given: Static) => Promise<void>): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), 'static-pods-'))
  const write: Static['write'] = (text, file = 'web.yaml') => writeFileSync(join(dir, file), text)
  write(manifest())
  const options = { configuration: { staticPodPath: dir } }
  const world = await KubeletWorld.create(options)
  const restart = async () => {
    await world.stopKubelet()
    world.startKubelet(options)
  }
  try {
    await work({ world, dir, write, restart })
  } finally {
    await world.close()
    rmSync(dir, { recursive: true })
  }
}

const manifest = (image = 'example/app:1', name = 'web') => `
apiVersion: v1
kind: Pod
metadata: {name: ${name}}
spec:
  terminationGracePeriodSeconds: 5
  containers: [{name: app, image: "${image}", imagePullPolicy: IfNotPresent}]
`

const isRunning = (pod: Pod) => pod.status.phase === 'Running' && !!pod.status.containerStatuses?.[0]?.ready
const starts = (world: KubeletWorld) => world.cri.calls.filter(call => call === 'startContainer app').length

/** The watch on the directory tells in the machine's time, the kubelet waits a moment of the clock's. */
async function settle(world: KubeletWorld, what: string, holds: () => boolean | Promise<boolean>) {
  await world.untilTrue(what, async () => {
    await world.clock.advance(100)
    return holds()
  })
}

const gone = (world: KubeletWorld, name: string) => () =>
  world.pod(name).then(
    () => false,
    () => true,
  )

test('a manifest runs, and its mirror shows in the API what has become of it', () =>
  inWorld(async ({ world }) => {
    const mirror = await world.until('web-node-1', isRunning)
    const node = await world.client.get(nodes, { name: 'node-1' })
    assert.equal(mirror.metadata.ownerReferences?.[0]?.uid, node.metadata.uid)
    const uid = mirror.metadata.annotations?.['kubernetes.io/config.mirror']
    assert.equal(world.cri.named('app')?.config.labels?.['io.kubernetes.pod.uid'], uid)
    assert.notEqual(uid, mirror.metadata.uid)
    world.cri.exit('app', 1)
    await world.until('web-node-1', pod => pod.status.containerStatuses?.[0]?.restartCount === 1)
    assert.ok((await world.eventsOf('web-node-1')).includes('Started: Container started'))
  }))

test('its log is found by the mirror', () =>
  inWorld(async ({ world }) => {
    const { metadata } = await world.until('web-node-1', isRunning)
    writeFileSync(world.cri.named('app')!.status.logPath, '2026-01-01T00:00:00Z stdout F hello\n')
    const reference = { namespace: 'default', name: metadata.name, uid: metadata.uid }
    const options = { container: 'app', follow: false, previous: false, timestamps: false }
    const parts: Uint8Array[] = []
    const log = await world.kubelet.nodeAccess.logs(
      'node-1',
      reference,
      options,
      new AbortController().signal,
    )
    for await (const part of log) parts.push(part)
    assert.equal(Buffer.concat(parts).toString(), 'hello\n')
  }))

test('a mirror that is deleted comes back, and the pod does not notice', () =>
  inWorld(async ({ world }) => {
    const before = await world.until('web-node-1', isRunning)
    await world.client.delete(pods, { namespace: 'default', name: 'web-node-1' })
    const after = await world.until(
      'web-node-1',
      pod => pod.metadata.uid !== before.metadata.uid && isRunning(pod),
    )
    assert.equal(
      after.status.containerStatuses?.[0]?.containerID,
      before.status.containerStatuses?.[0]?.containerID,
    )
    assert.equal(starts(world), 1)
  }))

test('a manifest that goes takes the pod and its mirror with it', () =>
  inWorld(async ({ world, dir }) => {
    await world.until('web-node-1', isRunning)
    rmSync(join(dir, 'web.yaml'))
    await settle(world, 'it is gone', gone(world, 'web-node-1'))
    assert.deepEqual(world.cri.calls.slice(-3), [
      'stopContainer app 5',
      'stopPodSandbox web-node-1',
      'removeContainer app',
    ])
    assert.equal(world.cri.containers.size, 0)
  }))

test('a manifest that changes replaces the pod, the old one going first', () =>
  inWorld(async ({ world, write }) => {
    const before = await world.until('web-node-1', isRunning)
    write(manifest('example/app:2'))
    await settle(world, 'the new one runs', async () => {
      const pod = await world.pod('web-node-1').catch(() => undefined)
      return !!pod && isRunning(pod) && pod.status.containerStatuses?.[0]?.image === 'example/app:2'
    })
    const after = await world.pod('web-node-1')
    assert.notEqual(after.metadata.uid, before.metadata.uid)
    const { calls } = world.cri
    assert.ok(calls.indexOf('stopPodSandbox web-node-1') < calls.lastIndexOf('runPodSandbox web-node-1'))
  }))

test('a manifest that cannot be read changes nothing, and others are taken beside it', () =>
  inWorld(async ({ world, write }) => {
    await world.until('web-node-1', isRunning)
    write('kind: Po')
    write(manifest('example/app:1', 'other'), 'other.json')
    write(manifest('example/app:1', 'hidden'), '.other.swp')
    await settle(world, 'the other runs', () => world.pod('other-node-1').then(isRunning, () => false))
    assert.equal(starts(world), 2)
    assert.ok(isRunning(await world.pod('web-node-1')))
    assert.ok(await gone(world, 'hidden-node-1')())
  }))

test('a restarted kubelet takes its static pods back', () =>
  inWorld(async ({ world, restart }) => {
    const before = await world.until('web-node-1', isRunning)
    await restart()
    world.cri.exit('app', 1)
    const after = await world.until(
      'web-node-1',
      pod => pod.status.containerStatuses?.[0]?.restartCount === 1,
    )
    assert.equal(after.metadata.uid, before.metadata.uid)
    assert.equal(world.cri.sandboxes.size, 1)
  }))

test('a mirror whose manifest went while the kubelet was away goes too', () =>
  inWorld(async ({ world, dir, restart }) => {
    await world.until('web-node-1', isRunning)
    await world.stopKubelet()
    rmSync(join(dir, 'web.yaml'))
    await restart()
    await world.untilTrue(
      'both are gone',
      async () => (await gone(world, 'web-node-1')()) && world.cri.containers.size === 0,
    )
  }))

test('a pod of the API that has the name is left alone; the static pod runs all the same', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'static-pods-'))
  const world = await KubeletWorld.create({ configuration: { staticPodPath: dir } })
  try {
    const other = await world.createPod('web-node-1', { containers: [container('own')] })
    await world.until('web-node-1', isRunning)
    writeFileSync(join(dir, 'web.yaml'), manifest())
    await settle(world, 'both run', () => world.cri.running().length === 2)
    await world.clock.advance(5_000)
    assert.equal((await world.pod('web-node-1')).metadata.uid, other.metadata.uid)
  } finally {
    await world.close()
    rmSync(dir, { recursive: true })
  }
})
