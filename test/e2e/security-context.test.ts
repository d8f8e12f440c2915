// Each field of the security context, checked from inside: what the kernel says, not what the API stores.
import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { Pod } from '../../src/api/types/core-v1.ts'
import { eventually, TestCluster } from './test-cluster.ts'

let cluster: TestCluster

before(async () => {
  cluster = await TestCluster.up()
  const profiles = join(cluster.dataDir, 'kubelet', 'seccomp', 'profiles')
  mkdirSync(profiles, { recursive: true })
  writeFileSync(join(profiles, 'no-mkdir.json'), JSON.stringify(NO_MKDIR))
  await cluster.kubectl(['apply', '-f', '-'], { input: PODS.join('\n---\n') })
})
after(() => cluster?.[Symbol.asyncDispose]())

const NO_MKDIR = {
  defaultAction: 'SCMP_ACT_ALLOW',
  syscalls: [{ names: ['mkdir', 'mkdirat'], action: 'SCMP_ACT_ERRNO' }],
}

const PODS: string[] = []

/** Declares a pod whose containers sleep; `spec` and `container` are YAML in flow style. */
function pod(name: string, { spec = '', container = '', command = 'sleep 1000' } = {}): string {
  PODS.push(`
apiVersion: v1
kind: Pod
metadata: {name: ${name}}
spec:
  terminationGracePeriodSeconds: 0
  restartPolicy: Never
${spec.replaceAll(/^/gm, '  ')}
  containers:
  - name: c
    image: busybox:1.36
    command: [sh, -c, ${JSON.stringify(command)}]
${container.replaceAll(/^/gm, '    ')}`)
  return name
}

const ready = (name: string) =>
  eventually(`${name} runs`, async () => {
    const found = await cluster.json<Pod>(`get pod ${name}`)
    return found.status.containerStatuses?.[0]?.state?.running && found
  })
/** What a shell inside says; both streams, because refusals are told on the second. */
const inside = async (name: string, script: string) => {
  await ready(name)
  return (await cluster.kubectl(['exec', name, '--', 'sh', '-c', `exec 2>&1; ${script}; true`])).trim()
}
const statusOf = (name: string, field: string) =>
  inside(name, `sed -n 's/^${field}:\\t//p' /proc/self/status`)
const waiting = (name: string) =>
  eventually(`${name} waits`, async () => {
    const { message, reason } =
      (await cluster.json<Pod>(`get pod ${name}`)).status.containerStatuses?.[0]?.state?.waiting ?? {}
    return message && { message, reason }
  })
const failed = (name: string) =>
  eventually(`${name} fails`, async () => {
    const { status } = await cluster.json<Pod>(`get pod ${name}`)
    return status.phase === 'Failed' && status
  })
const uidOf = async (name: string) => (await cluster.json<Pod>(`get pod ${name}`)).metadata.uid

const users = pod('users', {
  spec: `
securityContext: {runAsUser: 1000, runAsGroup: 3000, fsGroup: 2000, supplementalGroups: [4000]}
volumes: [{name: data, emptyDir: {}}]`,
  container: 'volumeMounts: [{name: data, mountPath: /data}]',
})
test('user, group and supplemental groups; a volume belongs to the fsGroup', async () => {
  assert.equal(await inside(users, 'id'), 'uid=1000 gid=3000 groups=2000,3000,4000')
  assert.equal(await inside(users, 'stat -c "%A %u %g" /data'), 'drwxrwsrwx 0 2000')
  assert.equal(await inside(users, 'touch /data/f && stat -c "%u %g" /data/f'), '1000 2000')
  const { status } = await cluster.json<Pod>(`get pod ${users}`)
  assert.deepEqual(status.containerStatuses![0]!.user, {
    linux: { uid: 1000, gid: 3000, supplementalGroups: [3000, 4000, 2000] },
  })
})

const rootless = pod('rootless', { spec: 'securityContext: {runAsNonRoot: true}' })
const root = pod('root', { container: 'securityContext: {runAsNonRoot: true, runAsUser: 0}' })
test('root is refused where it must not be', async () => {
  const uid = await uidOf(rootless)
  assert.deepEqual(await waiting(rootless), {
    reason: 'CreateContainerConfigError',
    message: `container has runAsNonRoot and image will run as root (pod: "rootless_default(${uid})", container: c)`,
  })
  assert.match(
    (await waiting(root)).message,
    /^container's runAsUser breaks non-root policy \(pod: "root_default\(/,
  )
})

const dropped = pod('dropped', {
  container: 'securityContext: {capabilities: {drop: [ALL], add: [NET_BIND_SERVICE]}}',
})
const plain = pod('plain')
const privileged = pod('privileged', { container: 'securityContext: {privileged: true}' })
test('capabilities are dropped and added; privileged has all that the node can give', async () => {
  assert.equal(await statusOf(dropped, 'CapEff'), '0000000000000400')
  assert.match(await inside(dropped, 'chown 1 /tmp; echo $?'), /Operation not permitted\n1$/)
  assert.equal(await statusOf(plain, 'CapEff'), '00000000a80425fb')
  assert.equal(await statusOf(privileged, 'CapEff'), await statusOf(privileged, 'CapBnd'))
  assert.notEqual(await statusOf(privileged, 'CapEff'), '00000000a80425fb')
  assert.equal(
    await inside(privileged, 'test -c /dev/kmsg && mount -t tmpfs none /tmp && echo mounted'),
    'mounted',
  )
  assert.match(
    await inside(plain, 'test -e /dev/kmsg; mount -t tmpfs none /tmp; echo $?'),
    /(permission denied|not permitted)[^\n]*\n\d+$/i,
  )
})

const readOnly = pod('read-only', {
  container: 'securityContext: {readOnlyRootFilesystem: true, allowPrivilegeEscalation: false}',
})
test('a root that is read-only, and rights that do not grow', async () => {
  assert.match(await inside(readOnly, 'touch /new'), /Read-only file system/)
  assert.deepEqual([await statusOf(readOnly, 'NoNewPrivs'), await statusOf(plain, 'NoNewPrivs')], ['1', '0'])
})

const unconfined = pod('unconfined', { spec: 'securityContext: {seccompProfile: {type: Unconfined}}' })
const localhost = pod('localhost', {
  spec: 'securityContext: {seccompProfile: {type: Localhost, localhostProfile: profiles/no-mkdir.json}}',
})
test('seccomp: the default filter, none, and one of the node', async () => {
  assert.deepEqual(await Promise.all([plain, unconfined, localhost].map(name => statusOf(name, 'Seccomp'))), [
    '2',
    '0',
    '2',
  ])
  assert.match(await inside(plain, 'unshare -U true'), /Operation not permitted/)
  assert.match(await inside(localhost, 'mkdir /tmp/new'), /Operation not permitted/)
  assert.equal(await inside(unconfined, 'mkdir /tmp/new && echo made'), 'made')
})

test('what /proc tells of the machine is hidden, and its settings are read-only', async () => {
  assert.equal(await inside(plain, 'wc -c < /proc/interrupts'), '0')
  assert.match(await inside(plain, 'echo 1 > /proc/sys/vm/swappiness'), /Read-only file system/)
})

const host = pod('host', { spec: 'hostNetwork: true\nhostPID: true\nhostIPC: true' })
test('namespaces of the node where they are asked for, of the pod otherwise', async () => {
  const own = (kind: string) => readlinkSync(`/proc/self/ns/${kind}`)
  const script = 'for kind in net pid ipc uts mnt; do readlink /proc/self/ns/$kind; done'
  const [net, pid, ipc, uts, mnt] = (await inside(host, script)).split('\n')
  assert.deepEqual([net, pid, ipc, uts], ['net', 'pid', 'ipc', 'uts'].map(own))
  assert.notEqual(mnt, own('mnt'))
  const isolated = (await inside(plain, script)).split('\n')
  for (const [index, kind] of ['net', 'pid', 'ipc', 'uts', 'mnt'].entries())
    assert.notEqual(isolated[index], own(kind))
})

const shared = pod('shared', { spec: 'shareProcessNamespace: true' })
PODS[PODS.length - 1] += '\n  - {name: other, image: "busybox:1.36", command: [sleep, "4321"]}'
test('containers that share their processes see each other, and nothing of the node', async () => {
  await eventually('the other one is seen', async () =>
    (await inside(shared, 'ps -o args')).includes('sleep 4321'),
  )
  assert.match(await inside(shared, 'ps -o pid,comm'), /^ +1 pause$/m)
  assert.match(await inside(shared, 'ls /proc/1/root/'), /Permission denied/)
})

const sysctls = pod('sysctls', {
  spec: 'securityContext: {sysctls: [{name: kernel.shm_rmid_forced, value: "1"}, {name: net.ipv4.ip_local_port_range, value: "2000 3000"}]}',
})
const unsafe = pod('unsafe', { spec: 'securityContext: {sysctls: [{name: kernel.msgmax, value: "8192"}]}' })
test('safe sysctls are set in the pod alone; unsafe ones reject it', async () => {
  assert.equal(
    await inside(sysctls, 'cat /proc/sys/kernel/shm_rmid_forced /proc/sys/net/ipv4/ip_local_port_range'),
    '1\n2000\t3000',
  )
  assert.equal(await inside(plain, 'cat /proc/sys/kernel/shm_rmid_forced'), '0')
  const { reason, message } = await failed(unsafe)
  assert.deepEqual(
    [reason, message],
    ['SysctlForbidden', 'Pod was rejected: forbidden sysctl: "kernel.msgmax" not allowlisted'],
  )
})

const named = pod('named', {
  spec: `
hostname: web
subdomain: site
setHostnameAsFQDN: true
hostAliases: [{ip: 192.0.2.7, hostnames: [one.example, two.example]}]`,
})
test('names: hostname, domain and /etc/hosts to the letter', async () => {
  assert.equal(
    await inside(named, 'hostname; cat /etc/hostname'),
    'web.site.default.svc.cluster.local\nweb.site.default.svc.cluster.local',
  )
  const { podIP } = (await ready(named)).status
  assert.equal(
    await inside(named, 'cat /etc/hosts'),
    [
      '# Kubernetes-managed hosts file.',
      '127.0.0.1\tlocalhost',
      '::1\tlocalhost ip6-localhost ip6-loopback',
      'fe00::0\tip6-localnet',
      'fe00::0\tip6-mcastprefix',
      'fe00::1\tip6-allnodes',
      'fe00::2\tip6-allrouters',
      `${podIP}\tweb.site.default.svc.cluster.local\tweb`,
      '',
      '# Entries added by HostAliases.',
      '192.0.2.7\tone.example\ttwo.example',
    ].join('\n'),
  )
})

const hungry = pod('hungry', {
  container: 'resources: {limits: {memory: 16Mi}}',
  command: 'exec tail /dev/zero',
})
test('more memory than the limit is the end: OOMKilled', async () => {
  await failed(hungry)
  const { terminated } = (await cluster.json<Pod>(`get pod ${hungry}`)).status.containerStatuses![0]!.state!
  assert.deepEqual([terminated!.reason, terminated!.exitCode], ['OOMKilled', 137])
})

const guaranteed = pod('guaranteed', {
  container: 'resources: {limits: {memory: 64Mi, cpu: 50m}}',
  command: 'while :; do :; done',
})
test('processor time is limited, and the kernel knows whom to kill first', async () => {
  const usage = async () => {
    const text = await inside(
      guaranteed,
      'cat /sys/fs/cgroup/cpuacct/cpuacct.usage 2>/dev/null || sed -n "s/^usage_usec //p;s/$/000/" /sys/fs/cgroup/cpu.stat',
    )
    return { nanoseconds: Number(text.split('\n')[0]), at: performance.now() * 1e6 }
  }
  const before = await usage()
  await new Promise(resolve => setTimeout(resolve, 2_000))
  const after = await usage()
  const share = (after.nanoseconds - before.nanoseconds) / (after.at - before.at)
  assert.ok(share > 0.02 && share < 0.08, `${share} of a processor under a limit of 0.05`)
  const score = async (name: string) => Number(await inside(name, 'cat /proc/1/oom_score_adj'))
  assert.ok((await score(guaranteed)) < (await score(plain)))
  assert.equal(await score(plain), 1000)
})

const volumes = pod('volumes', {
  spec: `
volumes:
- {name: memory, emptyDir: {medium: Memory, sizeLimit: 8Mi}}
- {name: disk, emptyDir: {}}`,
  container: `
volumeMounts:
- {name: memory, mountPath: /memory}
- {name: disk, mountPath: /disk}
- {name: disk, mountPath: /frozen, readOnly: true, recursiveReadOnly: Enabled}
- {name: disk, mountPath: /part, subPathExpr: $(NAME)}
env: [{name: NAME, value: part}]`,
})
test('volumes: memory with its size, what may only be read, a part of one', async () => {
  assert.match(await inside(volumes, 'df -k /memory | tail -1'), /^tmpfs +8192 /)
  assert.match(
    await inside(volumes, 'dd if=/dev/zero of=/memory/big bs=1M count=9'),
    /No space left on device/,
  )
  assert.match(await inside(volumes, 'touch /frozen/f'), /Read-only file system/)
  assert.equal(await inside(volumes, 'touch /part/f; ls /disk/part'), 'f')
})

const leaving = pod('leaving', {
  spec: `
initContainers:
- {name: links, image: "busybox:1.36", command: [ln, -s, /etc, /disk/out], volumeMounts: [{name: disk, mountPath: /disk}]}
volumes: [{name: disk, emptyDir: {}}]`,
  container: 'volumeMounts: [{name: disk, mountPath: /here, subPath: out}]',
})
test('a link in a volume does not lead a subPath out of it', async () => {
  const { reason, message } = await waiting(leaving)
  assert.equal(reason, 'CreateContainerConfigError')
  assert.match(message, /^failed to prepare subPath for volumeMount "disk" of container "c"/)
})

const travelling = pod('travelling', {
  spec: 'volumes: [{name: disk, emptyDir: {}}]',
  container: `
securityContext: {privileged: true}
volumeMounts: [{name: disk, mountPath: /disk, mountPropagation: Bidirectional}]`,
  command: 'mkdir /disk/sub; sleep 1000',
})
PODS[PODS.length - 1] += `
  - {name: hears, image: "busybox:1.36", command: [sleep, "1000"], volumeMounts: [{name: disk, mountPath: /disk, mountPropagation: HostToContainer}]}
  - {name: deaf, image: "busybox:1.36", command: [sleep, "1000"], volumeMounts: [{name: disk, mountPath: /disk}]}`
const elsewhere = pod('elsewhere', {
  spec: 'volumes: [{name: root, hostPath: {path: /}}]',
  container:
    'securityContext: {privileged: true}\nvolumeMounts: [{name: root, mountPath: /root, mountPropagation: Bidirectional}]',
})
test('mounts travel out of a container and into others, where they are let', async () => {
  await ready(travelling)
  const list = (container: string) =>
    cluster.kubectl(['exec', travelling, '-c', container, '--', 'ls', '/disk/sub'])
  // Only now: a container that is made later has what is mounted already, whatever it hears of afterwards.
  await inside(travelling, 'mount -t tmpfs none /disk/sub && touch /disk/sub/file')
  await eventually('the mount is seen', async () => (await list('hears')) === 'file\n')
  assert.equal(await list('deaf'), '')
  const shared = readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .some(line => line.split(' ')[4] === '/' && / shared:/.test(line))
  if (!shared)
    assert.match(
      (await waiting(elsewhere)).message,
      /path "\/" is mounted on "\/" but it is not a shared mount/,
    )
})

const secretive = pod('secretive', {
  spec: 'volumes: [{name: token, projected: {sources: [{serviceAccountToken: {path: token}}]}}]',
  container: 'volumeMounts: [{name: token, mountPath: /token}]',
})
test('what is secret is kept in memory', async () => {
  assert.match(await inside(secretive, 'df /token | tail -1'), /^tmpfs /)
  assert.equal(await inside(secretive, 'stat -c %A /token'), 'drwxrwxrwt')
})
