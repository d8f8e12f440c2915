// Devices that pods get, over a kubelet whose runtime and block devices are fakes.
import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readlinkSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Draft } from '../../api/kube-object.ts'
import { persistentVolumeClaims, persistentVolumes, pods } from '../../api/resources.ts'
import type { PersistentVolume, PersistentVolumeClaim, Pod } from '../../api/types/core-v1.ts'
import { container, KubeletWorld } from '../testing/kubelet-world.fixture.ts'

const dir = mkdtempSync(join(tmpdir(), 'block-'))
test.after(() => rmSync(dir, { recursive: true }))
const file = join(dir, 'disk')
writeFileSync(file, '')

const here = { key: 'kubernetes.io/hostname', operator: 'In' as const, values: ['node-1'] }
const KEY = { namespace: 'default', name: 'data' }

/** A claim that is bound to a volume, `spec`. */
async function inWorld(
  spec: Partial<PersistentVolume['spec']>,
  work: (world: KubeletWorld, calls: string[]) => Promise<void>,
) {
  const calls: string[] = []
  const devices = {
    attach(volume: string, path: string) {
      calls.push(`attach ${volume} ${path}`)
      return '/dev/fake0'
    },
    grow: (path: string) => calls.push(`grow ${path}`),
    detach: (device: string) => calls.push(`detach ${device}`),
  }
  const world = await KubeletWorld.create({ devices })
  try {
    const { client } = world
    const claim = await client.create<PersistentVolumeClaim>(persistentVolumeClaims, {
      metadata: KEY,
      spec: {
        accessModes: ['ReadWriteOnce'],
        volumeMode: spec.volumeMode ?? 'Block',
        resources: { requests: { storage: '1Gi' } },
        volumeName: 'pv-1',
      },
    })
    await client.create<PersistentVolume>(persistentVolumes, {
      metadata: { name: 'pv-1' },
      spec: {
        capacity: { storage: '1Gi' },
        accessModes: ['ReadWriteOnce'],
        volumeMode: 'Block',
        claimRef: { ...KEY, uid: claim.metadata.uid },
        ...(spec.local && {
          nodeAffinity: { required: { nodeSelectorTerms: [{ matchExpressions: [here] }] } },
        }),
        ...spec,
      },
    } as Draft<PersistentVolume>)
    const status = { phase: 'Bound' as const, capacity: { storage: '1Gi' } }
    await client.update(persistentVolumeClaims, { ...claim, status }, { subresource: 'status' })
    await work(world, calls)
  } finally {
    await world.close()
  }
}

const disk = (readOnly = false): Pod['spec']['volumes'] => [
  { name: 'disk', persistentVolumeClaim: { claimName: 'data', readOnly } },
]
const onDevice = (devicePath = '/dev/xvda') =>
  container('app', { volumeDevices: [{ name: 'disk', devicePath }] })

const devicesOf = (world: KubeletWorld) =>
  [...world.cri.containers.values()]
    .flatMap(({ config }) => config.devices ?? [])
    .map(
      ({ hostPath, containerPath, permissions }) =>
        `${readlinkSync(hostPath)} ${containerPath} ${permissions}`,
    )
    .sort()

test('containers get the device of a file, and the last pod to go gives it back', () =>
  inWorld({ local: { path: file } }, async (world, calls) => {
    const init = { ...onDevice('/mnt/volume1'), name: 'init', restartPolicy: 'Always' }
    await world.createPod('first', { initContainers: [init], containers: [onDevice()], volumes: disk() })
    const first = await world.until('first', pod => pod.status.phase === 'Running')
    assert.deepEqual(devicesOf(world), ['/dev/fake0 /dev/xvda mrw', '/dev/fake0 /mnt/volume1 mrw'])
    const global = join(world.dir, 'kubelet/plugins/kubernetes.io~local-volume/volumeDevices/pv-1')
    const map = join(world.dir, `kubelet/pods/${first.metadata.uid}/volumeDevices/kubernetes.io~local-volume`)
    assert.deepEqual(
      (await world.eventsOf('first')).filter(text => text.includes('MapVolume')),
      [
        `SuccessfulMountVolume: MapVolume.MapPodDevice succeeded for volume "pv-1" globalMapPath "${global}"`,
        `SuccessfulMountVolume: MapVolume.MapPodDevice succeeded for volume "pv-1" volumeMapPath "${map}"`,
      ],
    )
    await world.createPod('second', { containers: [onDevice()], volumes: disk(true) })
    await world.until('second', pod => pod.status.phase === 'Running')
    assert.ok(devicesOf(world).includes('/dev/fake0 /dev/xvda r'))
    await end(world, 'first')
    assert.deepEqual(calls, [`attach pv-1 ${file}`, `attach pv-1 ${file}`])
    await end(world, 'second')
    assert.equal(calls.at(-1), 'detach /dev/fake0')
    assert.equal(existsSync(global), false)
  }))

async function end(world: KubeletWorld, name: string) {
  await world.client.delete(pods, { namespace: 'default', name }, { gracePeriodSeconds: 1 })
  await world.untilTrue(`${name} is gone`, async () => {
    await world.clock.advance(1_000)
    return world.pod(name).then(
      () => false,
      () => true,
    )
  })
}

const refused: Record<string, [Partial<PersistentVolume['spec']>, Partial<Pod['spec']>, string]> = {
  'a raw volume that is to be mounted': [
    { local: { path: file } },
    { containers: [container('app', { volumeMounts: [{ name: 'disk', mountPath: '/x' }] })] },
    'FailedMount: Unable to attach or mount volumes: unmounted volumes=[disk], unattached volumes=[], failed to process volumes=[disk]: volume disk has volumeMode Block, but is specified in volumeMounts',
  ],
  'a file system that is to be a device': [
    { local: { path: dir }, volumeMode: 'Filesystem' },
    { containers: [onDevice()] },
    'FailedMount: Unable to attach or mount volumes: unmounted volumes=[disk], unattached volumes=[], failed to process volumes=[disk]: volume disk has volumeMode Filesystem, but is specified in volumeDevices',
  ],
  'a device that is not there': [
    { local: { path: '/dev/there-is-none' } },
    { containers: [onDevice()] },
    'FailedMapVolume: MapVolume.MapBlockVolume failed for volume "pv-1" : path "/dev/there-is-none" does not exist',
  ],
  'a directory': [
    { local: { path: dir } },
    { containers: [onDevice()] },
    `FailedMapVolume: MapVolume.MapBlockVolume failed for volume "pv-1" : path "${dir}" is not a block device`,
  ],
  'a kind of volume that has no raw form': [
    { hostPath: { path: '/dev/null' } },
    { containers: [onDevice()] },
    'FailedMapVolume: MapVolume.FindMapperPluginBySpec failed for volume "pv-1" : no block volume plugin matched',
  ],
}

for (const [what, [spec, pod, expected]] of Object.entries(refused)) {
  test(`${what} keeps the pod waiting and is told`, () =>
    inWorld(spec, async world => {
      await world.createPod('waits', { ...pod, volumes: disk() })
      await world.untilTrue('it is told', async () => (await world.eventsOf('waits')).includes(expected))
      assert.equal((await world.pod('waits')).status.phase, 'Pending')
      assert.equal(world.cri.containers.size, 0)
    }))
}

test('a path that is not absolute is a configuration error', () =>
  inWorld({ local: { path: file } }, async world => {
    await world.createPod('odd', { containers: [onDevice('xvda')], volumes: disk() })
    const pod = await world.until(
      'odd',
      ({ status }) => status.containerStatuses?.[0]?.state.waiting?.reason === 'CreateContainerConfigError',
    )
    assert.equal(
      pod.status.containerStatuses![0]!.state.waiting!.message,
      'error DevicePath `xvda` must be an absolute path',
    )
  }))

test('a claim that has grown is shown its size while its pod runs, without asking more than once a minute', () =>
  inWorld({ local: { path: file } }, async (world, calls) => {
    const { client } = world
    await world.createPod('user', { containers: [onDevice()], volumes: disk() })
    await world.until('user', pod => pod.status.phase === 'Running')
    const volume = await client.get(persistentVolumes, { name: 'pv-1' })
    const capacity = { storage: '2Gi' }
    await client.update(persistentVolumes, { ...volume, spec: { ...volume.spec, capacity } })
    const claim = await client.get(persistentVolumeClaims, KEY)
    const status = {
      ...claim.status,
      allocatedResources: capacity,
      allocatedResourceStatuses: { storage: 'NodeResizePending' as const },
      conditions: [{ type: 'FileSystemResizePending', status: 'True' as const }],
    }
    await client.update(persistentVolumeClaims, { ...claim, status }, { subresource: 'status' })
    await world.clock.advance(60_000)
    await world.untilTrue('the claim shows it', async () => {
      const { status } = await client.get(persistentVolumeClaims, KEY)
      return status.capacity?.storage === '2Gi'
    })
    const after = await client.get(persistentVolumeClaims, KEY)
    assert.deepEqual(after.status, { phase: 'Bound', capacity, allocatedResources: capacity })
    assert.ok(calls.includes(`grow ${file}`))
    const told = (text: string) =>
      text === 'FileSystemResizeSuccessful: MountVolume.NodeExpandVolume succeeded for volume "pv-1" node-1'
    await world.untilTrue('both are told', async () =>
      [await world.eventsOf('user'), await world.eventsOf('data')].every(list => list.some(told)),
    )
  }))
