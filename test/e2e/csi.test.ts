// Volumes of a CSI driver, as a real one has them: it registers with the kubelet, its volumes are attached, staged,
// mounted into real containers, and all of it is undone; also when the program was killed in between.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { Node, PersistentVolume, PersistentVolumeClaim, Pod } from '../../src/api/types/core-v1.ts'
import type { CSINode, VolumeAttachment } from '../../src/api/types/storage-v1.ts'
import { attachmentName, uniqueVolumeName } from '../../src/api/volume/csi-names.ts'
import {
  FolderDriver,
  type FolderMounts,
} from '../../src/kubelet/volumes/csi/testing/folder-driver.fixture.ts'
import { eventually, TestCluster } from './test-cluster.ts'

const NAME = 'folders.csi.test'
const LOCAL = 'local.csi.test'
const folder = mkdtempSync(join(tmpdir(), 'kubernode-csi-'))

const loops = new Map<string, string>()
const mounts: FolderMounts = {
  bind: (source, target) => void execFileSync('mount', ['--bind', source, target]),
  unmount: target => {
    if (mountsBelow(target).length > 0) execFileSync('umount', [target])
  },
  device(file) {
    const device =
      loops.get(file) ?? execFileSync('losetup', ['--show', '-f', file], { encoding: 'utf8' }).trim()
    loops.set(file, device)
    return device
  },
  release(file) {
    execFileSync('losetup', ['-d', loops.get(file)!])
    loops.delete(file)
  },
}

let cluster: TestCluster
let driver: FolderDriver
let local: FolderDriver
let node: string

/** Mount points at the path and below it. */
function mountsBelow(path: string): string[] {
  const points = readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .map(line => line.split(' ')[4] ?? '')
  return points.filter(point => point === path || point.startsWith(`${path}/`))
}

before(async () => {
  cluster = await TestCluster.up()
  const rootDir = join(cluster.dataDir, 'kubelet')
  driver = new FolderDriver({ name: NAME, rootDir, folder, mounts, node: { maxVolumesPerNode: 3 } })
  local = new FolderDriver({ name: LOCAL, rootDir, folder, mounts, abilities: ['GET_VOLUME_STATS'] })
  await Promise.all([driver.start(), local.start(), apply(DRIVERS)])
  node = (await cluster.kubectl('get nodes -o name')).trim().replace('node/', '')
  await registered(2)
})
after(async () => {
  driver?.stop()
  local?.stop()
  await cluster?.[Symbol.asyncDispose]()
  for (const file of loops.keys()) mounts.release(file)
  rmSync(folder, { recursive: true })
  assert.deepEqual(mountsBelow(cluster.dataDir), [])
})

const apply = (input: string) => cluster.kubectl(['apply', '-f', '-'], { input })
const sh = (pod: string, script: string) => cluster.kubectl(['exec', pod, '--', 'sh', '-c', script])
const ready = (pod: string) =>
  cluster.kubectl(['wait', '--for=condition=Ready', '--timeout=20s', `pod/${pod}`])
const registered = (count: number) =>
  eventually('the drivers are registered', async () => {
    const { spec } = await cluster.json<CSINode>(`get csinode ${node}`)
    return spec.drivers.length === count
  })

const DRIVERS = `
apiVersion: storage.k8s.io/v1
kind: CSIDriver
metadata: {name: ${LOCAL}}
spec: {attachRequired: false, podInfoOnMount: true, volumeLifecycleModes: [Persistent, Ephemeral], fsGroupPolicy: File}
`

const volume = (name: string, mode: string, plugin = NAME) => `
apiVersion: v1
kind: PersistentVolume
metadata: {name: ${name}}
spec:
  capacity: {storage: 8Mi}
  accessModes: [ReadWriteOnce]
  volumeMode: ${mode}
  storageClassName: ''
  claimRef: {namespace: default, name: ${name}}
  csi: {driver: ${plugin}, volumeHandle: ${name}, fsType: ext4}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: ${name}}
spec: {accessModes: [ReadWriteOnce], volumeMode: ${mode}, storageClassName: '', volumeName: ${name}, resources: {requests: {storage: 8Mi}}}
---`

const pod = (name: string, source: string, use = 'volumeMounts: [{name: v, mountPath: /v}]') => `
apiVersion: v1
kind: Pod
metadata: {name: ${name}}
spec:
  terminationGracePeriodSeconds: 1
  securityContext: {fsGroup: 4321}
  containers:
  - {name: app, image: busybox, command: [sh, -c, "trap 'exit 0' TERM; sleep 1000 & wait"], ${use}}
  volumes: [{name: v, ${source}}]
---`
const claimOf = (name: string) => `persistentVolumeClaim: {claimName: ${name}}`

const attachment = (handle: string) => attachmentName(handle, NAME, node)

/** What the driver's external-attacher does. */
async function attach(handle: string): Promise<void> {
  const name = attachment(handle)
  const { spec } = await eventually(`${handle} is to be attached`, () =>
    cluster.json<VolumeAttachment>(`get volumeattachment ${name}`),
  )
  assert.deepEqual(spec, { attacher: NAME, nodeName: node, source: { persistentVolumeName: handle } })
  const status = { status: { attached: true, attachmentMetadata: { slot: '1' } } }
  const patch = ['--subresource=status', '--type=merge', '-p', JSON.stringify(status)]
  await cluster.kubectl(['patch', 'volumeattachment', name, ...patch])
}

const detached = (handle: string) =>
  eventually(`${handle} is detached`, async () => {
    const { stderr } = await cluster.tryKubectl(['get', 'volumeattachment', attachment(handle)])
    return stderr.includes('NotFound')
  })

const nodeStatus = async () => (await cluster.json<Node>(`get node ${node}`)).status

test('a volume is attached, staged and mounted, and all of it is undone when its Pod goes', async () => {
  await apply(volume('data', 'Filesystem') + pod('writer', claimOf('data')))
  await attach('data')
  await ready('writer')
  const unique = uniqueVolumeName(NAME, 'data')
  const { volumesAttached, volumesInUse } = await nodeStatus()
  assert.deepEqual([volumesAttached, volumesInUse], [[{ name: unique, devicePath: '' }], [unique]])
  await sh('writer', 'echo kept > /v/file')
  assert.equal(readFileSync(join(folder, 'data/file'), 'utf8'), 'kept\n')
  assert.match(await sh('writer', 'stat -c %g /v/file'), /^4321$/m)
  const events = await cluster.kubectl(
    'get events --field-selector involvedObject.name=writer -o custom-columns=M:.message',
  )
  assert.match(events, /AttachVolume.Attach succeeded for volume "data"/)
  await cluster.kubectl('delete pod writer')
  await detached('data')
  assert.deepEqual(driver.calls, [
    'NodeStageVolume data',
    'NodePublishVolume data',
    'NodeUnpublishVolume data',
    'NodeUnstageVolume data',
  ])
  const after = await nodeStatus()
  assert.deepEqual([after.volumesAttached, after.volumesInUse], [undefined, undefined])
  assert.deepEqual(readdirSync(join(folder, 'data')), ['file'])
})

test('a Pod has a volume of its own, of which its driver tells how full it is', async () => {
  await apply(pod('own', `csi: {driver: ${LOCAL}, volumeAttributes: {kind: scratch}}`))
  await ready('own')
  await sh('own', 'echo mine > /v/file')
  const { uid } = (await cluster.json<Pod>('get pod own')).metadata
  const { volumeContext, volumeId } = local.last.get('NodePublishVolume')!
  assert.deepEqual(
    [
      volumeContext.kind,
      volumeContext['csi.storage.k8s.io/pod.uid'],
      volumeContext['csi.storage.k8s.io/ephemeral'],
    ],
    ['scratch', uid, 'true'],
  )
  assert.ok(existsSync(join(folder, volumeId, 'file')))
  const summary = JSON.parse(
    await cluster.kubectl(`get --raw /api/v1/nodes/${node}/proxy/stats/summary`),
  ) as {
    pods: {
      podRef: { name: string }
      volume?: { name: string; capacityBytes: number; usedBytes: number }[]
    }[]
  }
  const figures = summary.pods
    .find(({ podRef }) => podRef.name === 'own')
    ?.volume?.find(({ name }) => name === 'v')
  assert.deepEqual([figures?.capacityBytes, figures?.usedBytes], [1_000, 400])
  await cluster.kubectl('delete pod own')
  assert.equal(local.calls.at(-1), `NodeUnpublishVolume ${volumeId}`)
})

const root = join(import.meta.dirname, '..', '..')
const INSTALLED = 'installed.csi.test'

/** As drivers are installed: a DaemonSet that mounts the kubelet's folders under upstream's names. */
const daemonSet = `
apiVersion: storage.k8s.io/v1
kind: CSIDriver
metadata: {name: ${INSTALLED}}
spec: {attachRequired: false}
---
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: driver}
spec:
  selector: {matchLabels: {app: driver}}
  template:
    metadata: {labels: {app: driver}}
    spec:
      terminationGracePeriodSeconds: 2
      containers:
      - name: driver
        image: node:24
        imagePullPolicy: Never
        command: [node, /repository/test/e2e/csi/folder-driver.ts, ${INSTALLED}, /volumes]
        securityContext: {privileged: true}
        volumeMounts:
        - {name: socket-dir, mountPath: /csi}
        - {name: registration-dir, mountPath: /registration/plugins_registry}
        - {name: mountpoint-dir, mountPath: /var/lib/kubelet/pods, mountPropagation: Bidirectional}
        - {name: plugins-dir, mountPath: /var/lib/kubelet/plugins, mountPropagation: Bidirectional}
        - {name: volumes, mountPath: /volumes}
        - {name: repository, mountPath: /repository, readOnly: true}
        - {name: modules, mountPath: /node_modules, readOnly: true}
      volumes:
      - {name: socket-dir, hostPath: {path: /var/lib/kubelet/plugins/${INSTALLED}, type: DirectoryOrCreate}}
      - {name: registration-dir, hostPath: {path: /var/lib/kubelet/plugins_registry, type: Directory}}
      - {name: mountpoint-dir, hostPath: {path: /var/lib/kubelet/pods, type: DirectoryOrCreate}}
      - {name: plugins-dir, hostPath: {path: /var/lib/kubelet/plugins, type: Directory}}
      - {name: volumes, hostPath: {path: ${folder}}}
      - {name: repository, hostPath: {path: ${root}}}
      - {name: modules, hostPath: {path: ${realpathSync(join(root, 'node_modules'))}}}
---`

test('a driver that is installed as a DaemonSet serves volumes from its container', async () => {
  await cluster.loadImages('node')
  await apply(daemonSet)
  await registered(3)
  await apply(volume('far', 'Filesystem', INSTALLED) + pod('served', claimOf('far')))
  await ready('served')
  await sh('served', 'echo through > /v/file')
  assert.equal(readFileSync(join(folder, 'far/file'), 'utf8'), 'through\n')
  await cluster.kubectl('delete pod served')
  const isOf = (point: string) => point.includes('/kubernetes.io/csi/')
  assert.deepEqual(mountsBelow(join(cluster.dataDir, 'kubelet')).filter(isOf), [])
  await cluster.kubectl('delete daemonset driver')
  await registered(2)
})

test('a claim goes to the driver of its class, for the node that its Pod gets', async () => {
  await apply(`
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata: {name: folders}
provisioner: ${LOCAL}
volumeBindingMode: WaitForFirstConsumer
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: made}
spec: {accessModes: [ReadWriteOnce], storageClassName: folders, resources: {requests: {storage: 8Mi}}}
---${pod('first', claimOf('made'))}`)
  const asked = await eventually('the provisioner is asked', async () => {
    const { metadata } = await cluster.json<PersistentVolumeClaim>('get pvc made')
    return metadata.annotations?.['volume.kubernetes.io/storage-provisioner'] === LOCAL && metadata
  })
  assert.equal(asked.annotations?.['volume.kubernetes.io/selected-node'], node)
  // What the driver's external-provisioner does.
  await apply(`
apiVersion: v1
kind: PersistentVolume
metadata: {name: pvc-made, annotations: {pv.kubernetes.io/provisioned-by: ${LOCAL}}}
spec:
  capacity: {storage: 8Mi}
  accessModes: [ReadWriteOnce]
  storageClassName: folders
  persistentVolumeReclaimPolicy: Delete
  claimRef: {apiVersion: v1, kind: PersistentVolumeClaim, namespace: default, name: made, uid: ${asked.uid}}
  csi: {driver: ${LOCAL}, volumeHandle: made}
`)
  await ready('first')
  await cluster.kubectl('delete pod/first pvc/made')
  await eventually('the volume is left to its provisioner', async () => {
    const { status } = await cluster.json<PersistentVolume>('get pv pvc-made')
    return status.phase === 'Released'
  })
})

test('a block volume is a device in the container', async () => {
  await apply(
    volume('disk', 'Block', LOCAL) +
      pod('raw', claimOf('disk'), 'volumeDevices: [{name: v, devicePath: /dev/xvda}]'),
  )
  await ready('raw')
  await sh('raw', 'test -b /dev/xvda && echo block > /dev/xvda && sync')
  assert.equal(readFileSync(join(folder, 'disk.img'), 'utf8').slice(0, 6), 'block\n')
  await cluster.kubectl('delete pod raw')
  assert.equal(loops.size, 0)
})

test('after the program was killed a Pod keeps its volume, and a Pod that is gone gives its own back', async () => {
  driver.calls.length = 0
  await apply(pod('again', claimOf('data')))
  await attach('data')
  await ready('again')
  cluster.killProgram()
  driver.stop()
  await cluster.start()
  await eventually('it still has it', async () => (await sh('again', 'cat /v/file')).trim() === 'kept')
  await driver.start()
  await registered(2)
  await cluster.kubectl('delete pod again')
  await detached('data')
  assert.deepEqual(driver.calls.slice(-2), ['NodeUnpublishVolume data', 'NodeUnstageVolume data'])
  assert.deepEqual(
    mountsBelow(join(cluster.dataDir, 'kubelet')).filter(point => point.includes('csi')),
    [],
  )
})

test('nothing stays mounted when the cluster goes down under a Pod', async () => {
  await apply(pod('last', claimOf('data')))
  await attach('data')
  await ready('last')
  await cluster.stop()
  driver.stop()
  assert.deepEqual(mountsBelow(cluster.dataDir), [])
  assert.equal(readFileSync(join(folder, 'data/file'), 'utf8'), 'kept\n')
  await cluster.start()
  driver = new FolderDriver({ name: NAME, rootDir: join(cluster.dataDir, 'kubelet'), folder, mounts })
  await driver.start()
  await eventually('it runs again', async () => (await sh('last', 'cat /v/file')).trim() === 'kept')
})
