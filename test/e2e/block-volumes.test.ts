// Raw block volumes and local volumes on devices, with real loop devices: what containers can do with them, that data
// stays, that they grow, and that nothing of them is left on the machine.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { PersistentVolume, PersistentVolumeClaim } from '../../src/api/types/core-v1.ts'
import { eventually, TestCluster } from './test-cluster.ts'

let cluster: TestCluster
const dir = mkdtempSync(join(tmpdir(), 'kubernode-disk-'))
let disk: string

before(async () => {
  writeFileSync(join(dir, 'disk'), Buffer.alloc(24 * 2 ** 20))
  disk = execFileSync('losetup', ['--show', '-f', join(dir, 'disk')], { encoding: 'utf8' }).trim()
  cluster = await TestCluster.up()
})
after(async () => {
  await cluster?.[Symbol.asyncDispose]()
  if (disk) execFileSync('losetup', ['-d', disk])
  rmSync(dir, { recursive: true })
  assert.deepEqual(ourDevices(), [])
})

/** Nodes of the cluster's devices. */
const ourDevices = () => readdirSync('/dev').filter(name => name.startsWith(`kubernode-${cluster.name}-`))
const apply = (input: string) => cluster.kubectl(['apply', '-f', '-'], { input })
const ready = (...pods: string[]) =>
  cluster.kubectl(['wait', '--for=condition=Ready', '--timeout=20s', ...pods.map(name => `pod/${name}`)])
const sh = (pod: string, script: string, container = 'app') =>
  cluster.kubectl(['exec', pod, '-c', container, '--', 'sh', '-c', script])
const refused = async (pod: string, script: string) =>
  (await cluster.tryKubectl(['exec', pod, '--', 'sh', '-c', script])).stderr

const claim = (name: string, mode: string, more = '') => `
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: ${name}}
spec: {accessModes: [ReadWriteOnce], volumeMode: ${mode}, resources: {requests: {storage: 16Mi}}${more}}
---`

const pod = (name: string, claimName: string, app: string, more = '', readOnly = false) => `
apiVersion: v1
kind: Pod
metadata: {name: ${name}}
spec:
  terminationGracePeriodSeconds: 1
${more}
  containers:
  - {name: app, image: busybox, command: [sh, -c, "trap 'exit 0' TERM; sleep 1000 & wait"], ${app}}
  volumes: [{name: disk, persistentVolumeClaim: {claimName: ${claimName}, readOnly: ${readOnly}}}]
---`

const DEVICE = 'volumeDevices: [{name: disk, devicePath: /dev/xvda}]'
const MOUNT = 'volumeMounts: [{name: disk, mountPath: /mnt/disk}]'
const INIT = `
  securityContext: {fsGroup: 4000}
  initContainers:
  - name: write
    image: busybox
    command: [sh, -c, "test -b /mnt/volume1 && printf 'from init' | dd of=/mnt/volume1 bs=512 seek=100 conv=notrunc"]
    volumeDevices: [{name: disk, devicePath: /mnt/volume1}]
  - name: side
    restartPolicy: Always
    image: busybox
    command: [sh, -c, "trap 'exit 0' TERM; sleep 1000 & wait"]
    ${DEVICE}`

const READ = 'dd if=/dev/xvda bs=512 skip=100 count=1 2>/dev/null | tr -d "\\0"'

test('a raw volume is a device in every container, keeps its data, grows, and goes without a trace', async () => {
  await apply(
    claim('raw', 'Block') + pod('raw', 'raw', DEVICE, INIT) + pod('reader', 'raw', DEVICE, '', true),
  )
  await ready('raw', 'reader')
  for (const [name, container] of [
    ['raw', 'app'],
    ['raw', 'side'],
    ['reader', 'app'],
  ] as const)
    assert.equal(await sh(name, READ, container), 'from init')
  assert.equal(await sh('raw', 'blockdev --getsize64 /dev/xvda'), `${16 * 2 ** 20}\n`)
  assert.match(await sh('raw', 'stat -c "%g %a" /dev/xvda'), /^6 660\n/)
  assert.match(await refused('reader', 'echo x > /dev/xvda'), /Operation not permitted/)
  const [volume] = (await cluster.json<{ items: PersistentVolume[] }>('get pv')).items
  assert.equal(volume!.spec.volumeMode, 'Block')
  assert.equal(ourDevices().length, 1)

  cluster.killProgram()
  await cluster.start()
  await ready('raw', 'reader')
  assert.equal(await sh('raw', READ), 'from init')
  assert.equal(ourDevices().length, 1)

  await cluster.kubectl('patch pvc raw -p {"spec":{"resources":{"requests":{"storage":"32Mi"}}}}')
  const pending = await eventually('the claim waits for the node', async () => {
    const { status } = await cluster.json<PersistentVolumeClaim>('get pvc raw')
    return status.conditions?.[0]?.type === 'FileSystemResizePending' && status
  })
  assert.deepEqual(pending.capacity, { storage: '16Mi' })
  await cluster.kubectl('delete pod raw reader')
  assert.deepEqual(ourDevices(), [])
  await apply(pod('raw', 'raw', DEVICE))
  await ready('raw')
  assert.equal(await sh('raw', 'blockdev --getsize64 /dev/xvda'), `${32 * 2 ** 20}\n`)
  assert.equal(await sh('raw', READ), 'from init')
  const { status } = await cluster.json<PersistentVolumeClaim>('get pvc raw')
  assert.deepEqual([status.capacity, status.conditions], [{ storage: '32Mi' }, undefined])
  assert.match(await sh('raw', 'mke2fs -L made /dev/xvda'), /label=made/)
  assert.equal(await sh('raw', 'dd if=/dev/xvda bs=1 skip=1144 count=4 2>/dev/null'), 'made')
  await cluster.kubectl('delete pod/raw pvc/raw')
  await eventually('the volume is gone', async () => (await cluster.kubectl('get pv')) === '')
  assert.deepEqual(readdirSync(join(cluster.dataDir, 'volumes')), [])
})

const local = (name: string, mode: string) => `
apiVersion: v1
kind: PersistentVolume
metadata: {name: ${name}}
spec:
  capacity: {storage: 20Mi}
  accessModes: [ReadWriteOnce]
  volumeMode: ${mode}
  persistentVolumeReclaimPolicy: Retain
  storageClassName: manual
  local: {path: ${disk}}
  nodeAffinity: {required: {nodeSelectorTerms: [{matchExpressions: [{key: kubernetes.io/os, operator: In, values: [linux]}]}]}}
---`

test('a local volume on a device is formatted once and shared by pods; the same device can be had raw', async () => {
  const manual = ', storageClassName: manual'
  const group = '  securityContext: {fsGroup: 4000}'
  await apply(
    local('disk', 'Filesystem') +
      claim('formatted', 'Filesystem', manual) +
      pod('one', 'formatted', MOUNT, group) +
      pod('two', 'formatted', MOUNT, group),
  )
  await ready('one', 'two')
  await sh('one', 'echo shared > /mnt/disk/file')
  assert.equal(await sh('two', 'cat /mnt/disk/file; stat -c %g /mnt/disk/file'), 'shared\n4000\n')
  assert.match(await sh('two', 'grep /mnt/disk /proc/mounts'), / \/mnt\/disk ext4 rw/)
  await cluster.kubectl('delete pod one')
  assert.equal(await sh('two', 'cat /mnt/disk/file'), 'shared\n')
  await cluster.kubectl('delete pod two')
  assert.doesNotMatch(readFileSync('/proc/self/mountinfo', 'utf8'), /local-volume/)
  await apply(pod('again', 'formatted', MOUNT))
  await ready('again')
  assert.equal(await sh('again', 'cat /mnt/disk/file'), 'shared\n')
  await cluster.kubectl('delete pod/again pvc/formatted pv/disk')

  await apply(local('raw-disk', 'Block') + claim('other', 'Block', manual) + pod('owner', 'other', DEVICE))
  await ready('owner')
  // The magic number of ext file systems.
  assert.equal(
    await sh('owner', 'dd if=/dev/xvda bs=1 skip=1080 count=2 2>/dev/null | hexdump -e \'"%x"\''),
    'ef53',
  )
  await cluster.kubectl('delete pod owner')
})

test('a volume of the other mode keeps its pod waiting, and says why', async () => {
  await apply(claim('files', 'Filesystem') + pod('mistaken', 'files', DEVICE))
  const text =
    'Unable to attach or mount volumes: unmounted volumes=[disk], unattached volumes=[], failed to process volumes=[disk]: volume disk has volumeMode Filesystem, but is specified in volumeDevices'
  await eventually('it is told', async () =>
    (await cluster.kubectl('events --for pod/mistaken')).includes(text),
  )
  assert.equal(await cluster.kubectl('get pod mistaken -o jsonpath={.status.phase}'), 'Pending')
})
