// Pods with hostUsers: false (KEP-127): root inside is nobody in particular outside, and everything still looks right.
import assert from 'node:assert/strict'
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { Event, Node, Pod } from '../../src/api/types/core-v1.ts'
import { cpuQuota, memoryLimit } from './cgroup-file.ts'
import { eventually, TestCluster } from './test-cluster.ts'

let cluster: TestCluster
let skip: string | false = false

before(async () => {
  cluster = await TestCluster.up()
  const { items } = await cluster.json<{ items: Node[] }>('get nodes')
  const [handler] = items[0]!.status.runtimeHandlers ?? []
  if (!handler?.features?.userNamespaces) skip = 'this kernel cannot map the owners of files'
})
after(() => cluster?.[Symbol.asyncDispose]())

const manifest = (name: string, folder: string) => `
apiVersion: v1
kind: Pod
metadata: {name: ${name}, labels: {app: ${name}}}
spec:
  hostUsers: false
  restartPolicy: Never
  terminationGracePeriodSeconds: 0
  securityContext:
    fsGroup: 2000
    sysctls: [{name: net.ipv4.ip_unprivileged_port_start, value: '80'}]
  volumes:
  - {name: disk, emptyDir: {}}
  - {name: memory, emptyDir: {medium: Memory}}
  - {name: settings, configMap: {name: settings}}
  - {name: host, hostPath: {path: ${folder}}}
  - {name: image, image: {reference: 'nginx:1.14', pullPolicy: IfNotPresent}}
  initContainers:
  - {name: init, image: busybox:1.36, command: [sh, -c, 'echo init > /disk/init'], volumeMounts: &mounts [
      {name: disk, mountPath: /disk}, {name: memory, mountPath: /memory}, {name: settings, mountPath: /settings},
      {name: host, mountPath: /host}, {name: disk, mountPath: /part, subPath: part}, {name: image, mountPath: /image}]}
  containers:
  - name: c
    image: busybox:1.36
    command: [sh, -c, 'echo started; trap "exit 3" TERM; echo said > /dev/termination-log; touch /disk/own; sleep 1000 & wait $!']
    readinessProbe: {exec: {command: [sh, -c, 'test "$(id -u)" = 0']}}
    volumeMounts: *mounts
  - name: user
    image: busybox:1.36
    command: [sleep, '1000']
    securityContext: {runAsUser: 1000, runAsGroup: 1000, allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}
    volumeMounts: *mounts
`

async function create(name: string, more: object, container: object = {}): Promise<void> {
  const containers = [{ name: 'c', image: 'busybox:1.36', command: ['sleep', '1000'], ...container }]
  const spec = { hostUsers: false, terminationGracePeriodSeconds: 0, containers, ...more }
  const input = JSON.stringify({ apiVersion: 'v1', kind: 'Pod', metadata: { name }, spec })
  await cluster.kubectl(['create', '-f', '-'], { input })
}
const ready = (name: string) =>
  eventually(`${name} is ready`, async () => {
    const pod = await cluster.json<Pod>(`get pod ${name}`)
    return pod.status.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') && pod
  })
const inside = async (name: string, script: string, container = 'c') =>
  (
    await cluster.kubectl(['exec', name, '-c', container, '--', 'sh', '-c', `exec 2>&1; ${script}; true`])
  ).trim()
const rangeOf = async (name: string) =>
  (await inside(name, 'cat /proc/self/uid_map')).split(/\s+/).filter(Boolean).map(Number) as [
    number,
    number,
    number,
  ]
const volume = ({ metadata }: Pod, kind: string, name: string) =>
  join(cluster.dataDir, 'kubelet/pods', metadata.uid, 'volumes', `kubernetes.io~${kind}`, name)
const ownerOf = (path: string) => {
  const { uid, gid } = statSync(path)
  return [uid, gid]
}

test('a pod with a user namespace of its own', async t => {
  if (skip) return t.skip(skip)
  const folder = join(cluster.dataDir, 'shared')
  mkdirSync(folder)
  chmodSync(folder, 0o777)
  await cluster.kubectl('create configmap settings --from-literal=key=value')
  await cluster.kubectl(['apply', '-f', '-'], {
    input: `${manifest('one', folder)}---${manifest('two', folder)}`,
  })
  const [one] = [await ready('one'), await ready('two')]
  const [inner, first, length] = await rangeOf('one')

  await t.test('is root inside, of a range of 65536 ids that is no root outside', async () => {
    assert.equal(await inside('one', 'id'), 'uid=0(root) gid=0(root) groups=0(root),2000')
    assert.deepEqual([inner, length, first % 65_536], [0, 65_536, 0])
    assert.ok(first >= 65_536)
    const pid = (await inside('one', 'cat /proc/self/gid_map')).split(/\s+/).filter(Boolean).map(Number)
    assert.deepEqual(pid, [0, first, 65_536])
    assert.ok(processOwners().includes(first), 'the process on the machine has the first id of the range')
  })

  await t.test('has another range than the next pod', async () => {
    assert.notEqual((await rangeOf('two'))[1], first)
  })

  await t.test('sees owners of files as they are on the disk', async () => {
    const owners = await inside(
      'one',
      'stat -c "%n %u %g" /disk/init /disk/own /part /settings/key /etc/hosts /etc/resolv.conf /bin/busybox /dev/termination-log /image/usr',
    )
    assert.deepEqual(owners.split('\n'), [
      '/disk/init 0 2000',
      '/disk/own 0 2000',
      '/part 0 2000',
      '/settings/key 0 2000',
      '/etc/hosts 0 0',
      '/etc/resolv.conf 0 0',
      '/bin/busybox 0 0',
      '/dev/termination-log 0 0',
      '/image/usr 0 0',
    ])
    assert.deepEqual(ownerOf(join(volume(one, 'empty-dir', 'disk'), 'own')), [0, 2000])
  })

  await t.test(
    'writes files that belong to the same ids on the disk, in memory and on the host',
    async () => {
      const script = 'for d in /disk /memory /part /host; do echo x > $d/user-$(hostname); done'
      assert.equal(await inside('one', script, 'user'), '')
      const names = ['/disk', '/memory', '/part', '/host'].map(place => `${place}/user-one`)
      const owners = await inside('one', `stat -c "%u %g" ${names.join(' ')}`)
      assert.deepEqual(owners.split('\n'), ['1000 2000', '1000 2000', '1000 2000', '1000 1000'])
      assert.deepEqual(ownerOf(join(volume(one, 'empty-dir', 'disk'), 'user-one')), [1000, 2000])
      assert.deepEqual(ownerOf(join(folder, 'user-one')), [1000, 1000])
    },
  )

  await t.test(
    'may do with its own network what its capabilities say, and nothing to the machine',
    async () => {
      assert.equal(await inside('one', 'cat /proc/sys/net/ipv4/ip_unprivileged_port_start'), '80')
      assert.match(await inside('one', 'mknod /tmp/disk b 8 0'), /Operation not permitted/)
      assert.match(await inside('one', 'chmod 0 /dev/null'), /Read-only file system|Operation not permitted/)
      assert.deepEqual(ownerOf('/dev/null'), [0, 0])
      assert.equal(statSync('/dev/null').mode & 0o777, 0o666)
    },
  )

  await t.test('can be looked into: logs, exec, attach, cp, ephemeral containers', async () => {
    assert.equal(await cluster.kubectl('logs one -c c'), 'started\n')
    const file = join(cluster.dataDir, 'copied')
    await cluster.kubectl(['cp', '-c', 'c', 'one:/disk/init', file])
    assert.equal(readFileSync(file, 'utf8'), 'init\n')
    const debug = [
      'debug',
      'one',
      '--image=busybox:1.36',
      '--target=c',
      '-c',
      'look',
      '--',
      'cat',
      '/proc/1/uid_map',
      '/proc/1/cmdline',
    ]
    await cluster.kubectl(debug)
    const said = await eventually('the ephemeral container speaks', () => cluster.kubectl('logs one -c look'))
    assert.match(said, new RegExp(`0 +${first} +65536`))
    assert.match(said, /sleep|trap/)
  })

  await t.test('keeps its range and its containers when the program is killed', async () => {
    const ids = ({ status }: Pod) => status.containerStatuses?.map(({ containerID }) => containerID)
    cluster.killProgram()
    await cluster.start()
    assert.deepEqual(ids(await ready('one')), ids(one))
    assert.equal((await rangeOf('one'))[1], first)
    await cluster.kubectl(['apply', '-f', '-'], { input: manifest('three', folder) })
    await ready('three')
    const ranges = await Promise.all(['one', 'two', 'three'].map(async name => (await rangeOf(name))[1]))
    assert.equal(new Set(ranges).size, 3)
  })

  await t.test('ends like any other, and leaves nothing', async () => {
    await cluster.kubectl('delete pod one two three')
    await eventually(
      'its directory is gone',
      () => !existsSync(join(cluster.dataDir, 'kubelet/pods', one.metadata.uid)),
    )
    await eventually('its mounts are gone', () => readdirSync(`/run/kubernode-${cluster.name}`).length === 0)
  })
})

test('a process namespace can be shared in it', async t => {
  if (skip) return t.skip(skip)
  await create('shared', { shareProcessNamespace: true })
  await ready('shared')
  assert.equal(await inside('shared', 'cat /proc/1/comm'), 'pause')
  assert.equal(await inside('shared', "sed -n 's/^Uid:\\t\\([0-9]*\\).*/\\1/p' /proc/1/status"), '65535')
})

test('without masks it may set its own network, and nothing else', async t => {
  if (skip) return t.skip(skip)
  await create(
    'unmasked',
    {},
    { securityContext: { procMount: 'Unmasked', capabilities: { add: ['NET_ADMIN'] } } },
  )
  await ready('unmasked')
  const script =
    'echo 81 > /proc/sys/net/ipv4/ip_unprivileged_port_start; cat /proc/sys/net/ipv4/ip_unprivileged_port_start; echo 1 > /proc/sys/kernel/panic'
  assert.match(await inside('unmasked', script), /^81\n.*(Permission denied|Operation not permitted)$/)
})

test('its limits hold, and more memory is the end of it', async t => {
  if (skip) return t.skip(skip)
  const resources = { limits: { cpu: '200m', memory: '32Mi' } }
  await create('limited', {}, { resources })
  const pod = await ready('limited')
  assert.equal(memoryLimit(cluster.name, pod, 'c'), String(32 << 20))
  assert.equal(cpuQuota(cluster.name, pod, 'c'), '20000')
  await create('greedy', { restartPolicy: 'Never' }, { resources, command: ['sh', '-c', 'tail /dev/zero'] })
  const end = await eventually('it has ended', async () => {
    const { status } = await cluster.json<Pod>('get pod greedy')
    return status.containerStatuses?.[0]?.state?.terminated
  })
  assert.deepEqual([end.reason, end.exitCode], ['OOMKilled', 137])
})

test('what cannot be mapped is told in one sentence', async t => {
  if (skip) return t.skip(skip)
  const volumes = [{ name: 'p', hostPath: { path: '/proc' } }]
  await create('unmappable', { volumes }, { volumeMounts: [{ name: 'p', mountPath: '/p' }] })
  await eventually('the event is there', async () => {
    const { items } = await cluster.json<{ items: Event[] }>('get events')
    return items.some(({ message = '' }) =>
      /owners of files in \/proc cannot be mapped .*does not support it/.test(message),
    )
  })
})

test('where the kernel cannot, a pod that wants one is not run without', async t => {
  if (!skip) return t.skip('this kernel can')
  await create('waits', {})
  const refusal =
    "Failed to create pod sandbox: can't set `spec.hostUsers: false`, runtime does not support user namespaces"
  await eventually('it is told', async () =>
    (await cluster.kubectl('events --for pod/waits')).includes(refusal),
  )
  assert.equal((await cluster.json<Pod>('get pod waits')).status.phase, 'Pending')
})

test('namespaces of the node and a user namespace of its own exclude each other', async () => {
  const spec = {
    hostUsers: false,
    hostNetwork: true,
    hostPID: true,
    hostIPC: true,
    containers: [{ name: 'c', image: 'busybox:1.36' }],
  }
  const { code, stderr } = await cluster.tryKubectl(['apply', '-f', '-'], {
    input: JSON.stringify({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'refused' }, spec }),
  })
  assert.equal(code, 1)
  for (const field of ['hostNetwork', 'HostPID', 'HostIPC'])
    assert.match(stderr, new RegExp(`spec.${field}: Forbidden: when \`hostUsers\` is false`))
})

/** User ids of all processes of the machine. */
function processOwners(): number[] {
  return readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .flatMap(pid => {
      try {
        return [Number(/^Uid:\t(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1])]
      } catch {
        return []
      }
    })
}
