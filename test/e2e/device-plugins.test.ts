// Devices in real containers: of a device plugin, and of a DRA driver by way of the Container Device Interface. Both are
// served by this process, as a plugin's Pod would: at sockets in the kubelet's folder.
import assert from 'node:assert/strict'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { DevicePluginFixture } from '../../src/kubelet/devices/testing/device-plugin.fixture.ts'
import { DraDriverFixture } from '../../src/kubelet/dra/testing/dra-driver.fixture.ts'
import { devicePluginsDir } from '../../src/kubelet/plugins/kubelet-folder.ts'
import { eventually, TestCluster } from './test-cluster.ts'

const RESOURCE = 'example.com/dev'
const DRIVER = 'gpu.example.com'
const CDI_FOLDER = '/var/run/cdi'

interface PodShown {
  metadata: { uid: string }
  status: {
    phase: string
    conditions?: { reason?: string; message?: string }[]
    containerStatuses?: { allocatedResourcesStatus?: object[] }[]
  }
}

const pod = (name: string, spec: object) =>
  JSON.stringify({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name },
    spec: { terminationGracePeriodSeconds: 0, ...spec },
  })

const container = (resources: object) => ({
  name: 'app',
  image: 'busybox',
  command: ['sleep', '1000'],
  resources,
})

const withDevice = (name: string) => pod(name, { containers: [container({ limits: { [RESOURCE]: '1' } })] })

describe('devices', () => {
  const cluster = new TestCluster()
  const cdiSpec = join(CDI_FOLDER, `kubernode-${cluster.name}.json`)
  const kubelet = join(cluster.dataDir, 'kubelet')
  const library = join(cluster.dataDir, 'library')
  const plugin = new DevicePluginFixture(devicePluginsDir(kubelet), RESOURCE, ['one'], {
    allocate: ([id]) => ({
      envs: { EXAMPLE_DEVICE: id! },
      devices: [{ containerPath: '/dev/example0', hostPath: '/dev/loop-control', permissions: 'r' }],
      mounts: [{ containerPath: '/opt/library', hostPath: library, readOnly: true }],
    }),
  })
  const driver = new DraDriverFixture(kubelet, DRIVER, {
    prepare: ({ uid }) => {
      const device = { path: '/dev/card0', hostPath: '/dev/loop-control', permissions: 'rw' }
      const containerEdits = { env: ['CARD=zero'], deviceNodes: [device] }
      const spec = {
        cdiVersion: '0.6.0',
        kind: `${DRIVER}/${cluster.name}`,
        devices: [{ name: uid, containerEdits }],
      }
      mkdirSync(CDI_FOLDER, { recursive: true })
      writeFileSync(cdiSpec, JSON.stringify(spec))
      const cdiDeviceIds = [`${DRIVER}/${cluster.name}=${uid}`]
      return [{ requestNames: ['card'], poolName: 'node', deviceName: 'zero', cdiDeviceIds }]
    },
    unprepare: () => rmSync(cdiSpec),
  })

  before(async () => {
    mkdirSync(library)
    writeFileSync(join(library, 'hello'), 'from the machine')
    await cluster.start()
  })

  after(async () => {
    plugin.stop()
    driver.stop()
    rmSync(cdiSpec, { force: true })
    await cluster[Symbol.asyncDispose]()
  })

  const podOf = (name: string) => cluster.json<PodShown>(`get pod ${name}`)
  const running = (name: string) =>
    eventually(`${name} runs`, async () => (await podOf(name)).status.phase === 'Running', 10_000)
  const inside = (name: string, script: string) => cluster.kubectl(['exec', name, '--', 'sh', '-c', script])
  const amounts = async () => {
    const { items } = await cluster.json<{ items: { status: Record<string, Record<string, string>> }[] }>(
      'get nodes',
    )
    const { capacity, allocatable } = items[0]!.status
    return [capacity![RESOURCE], allocatable![RESOURCE]]
  }

  test('a Pod that asks for a device has its node, its environment and its files; the next one waits', async () => {
    await plugin.start()
    await plugin.register()
    await eventually('the node has it', async () => (await amounts()).join() === '1,1')
    await cluster.kubectl('create -f -', { input: withDevice('first') })
    await running('first')
    const seen = await inside(
      'first',
      'echo $EXAMPLE_DEVICE; cat /opt/library/hello; echo; : < /dev/example0 && echo readable',
    )
    assert.deepEqual(seen.split(/\s*\n/), ['one', 'from the machine', 'readable', ''])
    await assert.rejects(
      inside('first', 'echo x >> /dev/example0'),
      /Operation not permitted|Permission denied/,
    )
    await cluster.kubectl('create -f -', { input: withDevice('second') })
    const waiting = await eventually('second waits', async () => {
      const { phase, conditions = [] } = (await podOf('second')).status
      return phase === 'Pending' && conditions.find(({ reason }) => reason === 'Unschedulable')
    })
    assert.match(waiting.message!, /Insufficient example.com\/dev/)
    await cluster.kubectl('delete pod first')
    await running('second')
  })

  test('a device that falls ill is not given any more, and its Pod tells; a plugin that ends leaves none', async () => {
    plugin.setHealth('one', 'Unhealthy')
    await eventually('none is allocatable', async () => (await amounts()).join() === '1,0')
    const [app] = (await podOf('second')).status.containerStatuses!
    assert.deepEqual(app!.allocatedResourcesStatus, [
      { name: RESOURCE, resources: [{ resourceID: 'one', health: 'Unhealthy' }] },
    ])
    plugin.setHealth('one', 'Healthy')
    await eventually('it is well', async () => (await amounts()).join() === '1,1')
    plugin.stop()
    await eventually('its plugin is gone', async () => (await amounts()).join() === '1,0')
  })

  test('a Pod with a ResourceClaim has the CDI devices that the driver has prepared', async () => {
    await driver.start()
    const claim = {
      apiVersion: 'resource.k8s.io/v1',
      kind: 'ResourceClaim',
      metadata: { name: 'card' },
      spec: { devices: { requests: [{ name: 'card', exactly: { deviceClassName: DRIVER } }] } },
    }
    await cluster.kubectl('create -f -', { input: JSON.stringify(claim) })
    const [nodeName] = (await cluster.kubectl('get nodes -o name')).trim().split('/').slice(1)
    const spec = {
      nodeName,
      resourceClaims: [{ name: 'gpu', resourceClaimName: 'card' }],
      containers: [container({ claims: [{ name: 'gpu' }] })],
    }
    await cluster.kubectl('create -f -', { input: pod('claiming', spec) })
    const { uid } = (await podOf('claiming')).metadata
    const results = [{ request: 'card', driver: DRIVER, pool: 'node', device: 'zero' }]
    const status = {
      allocation: { devices: { results } },
      reservedFor: [{ resource: 'pods', name: 'claiming', uid }],
    }
    const patch = JSON.stringify({ status })
    await cluster.kubectl([
      ...'patch resourceclaim card --subresource=status --type=merge -p'.split(' '),
      patch,
    ])
    await running('claiming')
    const seen = await inside('claiming', 'echo $CARD; : <> /dev/card0 && echo open')
    assert.deepEqual(seen.trim().split('\n'), ['zero', 'open'])
    await cluster.kubectl('delete pod claiming')
    await eventually('it is unprepared', () => driver.calls.join() === 'prepare card,unprepare card')
  })

  test('a device of no CDI spec is said by name', async () => {
    rmSync(cdiSpec, { force: true })
    const missing = new DevicePluginFixture(devicePluginsDir(kubelet), 'example.com/lost', ['one'], {
      allocate: () => ({ cdiDevices: [{ name: 'example.com/lost=one' }] }),
    })
    await missing.start()
    await missing.register()
    try {
      await cluster.kubectl('create -f -', {
        input: pod('lost', { containers: [container({ limits: { 'example.com/lost': '1' } })] }),
      })
      const text = 'CDI device injection failed: unresolvable CDI devices example.com/lost=one'
      await eventually('it is told', async () => (await cluster.kubectl('describe pod lost')).includes(text))
    } finally {
      missing.stop()
    }
  })
})
