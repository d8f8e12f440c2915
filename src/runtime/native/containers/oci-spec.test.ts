// What each wish of a CRI container becomes in the OCI spec.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type {
  ContainerConfig,
  LinuxContainerResources,
  LinuxContainerSecurityContext,
  Mount,
} from '../../cri/cri.generated.ts'
import { supplementalGroups } from './oci-process.ts'
import { type OciInput, ociSpec } from './oci-spec.ts'

interface Spec {
  process: Record<string, unknown> & {
    capabilities: Record<string, string[]>
    user: object
    oomScoreAdj: number
  }
  root: { readonly: boolean }
  mounts: { destination: string; options: string[] }[]
  linux: Record<string, unknown> & {
    namespaces: { type: string; path?: string }[]
    devices: object[]
    resources: Record<string, object>
  }
}

const input = (
  linux: ContainerConfig['linux'],
  more: Partial<OciInput> = {},
  config: Partial<ContainerConfig> = {},
): OciInput => ({
  id: 'id',
  config: { metadata: { name: 'c', attempt: 0 }, image: { image: 'i' }, ...config, ...(linux && { linux }) },
  image: { Entrypoint: ['/entry'], Cmd: ['arg'], Env: ['A=image', 'B=image'], WorkingDir: '/work' },
  user: { uid: 0, gid: 0, groups: [], home: '/root' },
  rootfs: '/root/fs',
  namespaces: { net: '/ns/net', ipc: '/ns/ipc', uts: '/ns/uts' },
  hostPid: false,
  files: { resolvConf: '/f/resolv', hostname: '/f/hostname', shm: '/f/shm' },
  cgroupsPath: '/x/kubepods/pod1/id',
  bounding: (1n << 41n) - 1n,
  mayLowerOomScore: true,
  ownOomScore: 0,
  sysctls: {},
  devices: [],
  unifiedCgroups: false,
  limitsHugepages: true,
  ...more,
})

const specOf = (...args: Parameters<typeof input>) => ociSpec(input(...args)) as object as Spec
const secured = (securityContext: LinuxContainerSecurityContext, more: Partial<OciInput> = {}) =>
  specOf({ securityContext }, more)
const limited = (resources: LinuxContainerResources, more: Partial<OciInput> = {}) =>
  specOf({ resources }, more)
const mounted = (mount: Partial<Mount>) => {
  const mounts = [{ containerPath: '/data', hostPath: '/host', ...mount }]
  return specOf(undefined, {}, { mounts }).mounts.find(({ destination }) => destination === '/data')!.options
}
const types = (spec: Spec) => spec.linux.namespaces.map(({ type }) => type)

const IDS = [{ hostId: 65_536, containerId: 0, length: 65_536 }]
const inUserNamespace = () =>
  specOf(undefined, { userIds: { uids: IDS, gids: IDS }, namespaces: { user: '/ns/user', net: '/ns/net' } })
    .linux

const cases: [title: string, actual: () => unknown, expected: unknown][] = [
  [
    'a user namespace is joined before those that it owns',
    () => inUserNamespace().namespaces.filter(({ path }) => path),
    [
      { type: 'user', path: '/ns/user' },
      { type: 'network', path: '/ns/net' },
    ],
  ],
  [
    'what ids mean in a user namespace is told beside it',
    () => [inUserNamespace().uidMappings, inUserNamespace().gidMappings],
    [[{ containerID: 0, hostID: 65_536, size: 65_536 }], [{ containerID: 0, hostID: 65_536, size: 65_536 }]],
  ],
  ['without one nothing is said of ids', () => 'uidMappings' in specOf(undefined).linux, false],
  ['the image says what runs', () => specOf(undefined).process.args, ['/entry', 'arg']],
  [
    'arguments replace the image’s',
    () => specOf(undefined, {}, { args: ['x'] }).process.args,
    ['/entry', 'x'],
  ],
  ['a command replaces both', () => specOf(undefined, {}, { command: ['sh'] }).process.args, ['sh']],
  [
    'the image’s folder, unless another is wanted',
    () => [specOf(undefined).process.cwd, specOf(undefined, {}, { workingDir: '/w' }).process.cwd],
    ['/work', '/w'],
  ],
  [
    'the config’s variables come before the image’s',
    () => specOf(undefined, {}, { envs: [{ key: 'A', value: 'own' as never }] }).process.env,
    ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', 'HOME=/root', 'A=own', 'B=image'],
  ],
  ['root has the default capabilities', () => secured({}).process.capabilities.effective!.length, 14],
  [
    'another user has them only as far as files give them',
    () => secured({}, { user: { uid: 1, gid: 1, groups: [], home: '/' } }).process.capabilities.effective,
    [],
  ],
  [
    'ambient ones are in every set',
    () =>
      Object.values(
        secured(
          {
            capabilities: {
              dropCapabilities: ['ALL'],
              addCapabilities: ['KILL'],
              addAmbientCapabilities: ['CAP_KILL'],
            },
          },
          { user: { uid: 1, gid: 1, groups: [], home: '/' } },
        ).process.capabilities,
      ),
    Array(5).fill(['CAP_KILL']),
  ],
  ['no more rights than at the start', () => secured({ noNewPrivs: true }).process.noNewPrivileges, true],
  ['a read-only root', () => secured({ readonlyRootfs: true }).root.readonly, true],
  [
    'masked and read-only paths are as asked',
    () => secured({ maskedPaths: ['/proc/kcore'], readonlyPaths: ['/proc/sys'] }).linux.maskedPaths,
    ['/proc/kcore'],
  ],
  [
    'none are wanted: procMount Unmasked',
    () => secured({ maskedPaths: [], readonlyPaths: [] }).linux.maskedPaths,
    [],
  ],
  [
    'privileged sees everything',
    () => secured({ privileged: true, maskedPaths: ['/proc/kcore'] }).linux.maskedPaths,
    [],
  ],
  [
    'privileged may touch every device',
    () => secured({ privileged: true }).linux.resources.devices,
    [{ allow: true, access: 'rwm' }],
  ],
  ['privileged has no filter', () => secured({ privileged: true }).linux.seccomp, undefined],
  ['the default filter is there unasked', () => typeof secured({}).linux.seccomp, 'object'],
  [
    'Unconfined is none',
    () => secured({ seccomp: { profileType: 'Unconfined', localhostRef: '' } }).linux.seccomp,
    undefined,
  ],
  [
    'Localhost is the file’s',
    () =>
      secured({ seccomp: { profileType: 'Localhost', localhostRef: '/p' } }, { localSeccomp: { mine: 1 } })
        .linux.seccomp,
    { mine: 1 },
  ],
  [
    'namespaces of the sandbox, and an own one for processes',
    () => types(specOf(undefined)),
    ['mount', 'pid', 'network', 'ipc', 'uts'],
  ],
  [
    'with the host’s processes there is none for them',
    () => types(specOf(undefined, { hostPid: true })),
    ['mount', 'network', 'ipc', 'uts'],
  ],
  [
    'with the pod’s it is joined',
    () => specOf(undefined, { namespaces: { pid: '/ns/pid' } }).linux.namespaces[1],
    { type: 'pid', path: '/ns/pid' },
  ],
  [
    'on the host’s network nothing is joined',
    () => types(specOf(undefined, { namespaces: {} })),
    ['mount', 'pid'],
  ],
  ['the unified tree is hidden', () => types(specOf(undefined, { unifiedCgroups: true }))[1], 'cgroup'],
  [
    'shares, quota and memory; swap is none',
    () =>
      limited({ cpuShares: 512, cpuQuota: 50_000, cpuPeriod: 100_000, memoryLimitInBytes: 64 }).linux
        .resources,
    {
      cpu: { shares: 512, quota: 50_000, period: 100_000, cpus: undefined, mems: undefined },
      memory: { limit: 64, swap: 64 },
      devices: (limited({}).linux.resources as { devices: object }).devices,
    },
  ],
  [
    'huge pages are limited',
    () => limited({ hugepageLimits: [{ pageSize: '2MB', limit: 4 }] }).linux.resources.hugepageLimits,
    [{ pageSize: '2MB', limit: 4 }],
  ],
  ['the score of the kernel’s killer', () => limited({ oomScoreAdj: -997 }).process.oomScoreAdj, -997],
  [
    'it cannot be lowered below our own without the right to',
    () => limited({ oomScoreAdj: -997 }, { mayLowerOomScore: false, ownOomScore: -100 }).process.oomScoreAdj,
    -100,
  ],
  ['mounts stay where they are', () => mounted({}), ['rbind', 'rprivate', 'rw']],
  [
    'mounts come in',
    () => mounted({ propagation: 'PROPAGATION_HOST_TO_CONTAINER' }),
    ['rbind', 'rslave', 'rw'],
  ],
  [
    'mounts go both ways',
    () => mounted({ propagation: 'PROPAGATION_BIDIRECTIONAL' }),
    ['rbind', 'rshared', 'rw'],
  ],
  [
    'read-only, but what is mounted below is not',
    () => mounted({ readonly: true }),
    ['rbind', 'rprivate', 'ro'],
  ],
  [
    'read-only with all that is below',
    () => mounted({ readonly: true, recursiveReadOnly: true }),
    ['rbind', 'rprivate', 'ro', 'rro'],
  ],
]

for (const [title, actual, expected] of cases) test(title, () => assert.deepEqual(actual(), expected))

test('devices can be seen and used as they were asked for', () => {
  const device = {
    path: '/dev/x',
    type: 'c' as const,
    major: 10,
    minor: 229,
    fileMode: 0o660,
    uid: 0,
    gid: 5,
    access: 'r',
  }
  const { linux } = specOf(undefined, { devices: [device] })
  assert.deepEqual(linux.devices, [
    { path: '/dev/x', type: 'c', major: 10, minor: 229, fileMode: 0o660, uid: 0, gid: 5 },
  ])
  const rules = (linux.resources as unknown as { devices: object[] }).devices
  assert.deepEqual(rules.at(-1), { allow: true, type: 'c', major: 10, minor: 229, access: 'r' })
})

const groupCases: [
  title: string,
  own: number[],
  security: LinuxContainerSecurityContext,
  expected: number[],
][] = [
  ['the image’s groups and the pod’s', [3000], { supplementalGroups: [4000, 3000] }, [3000, 4000]],
  [
    'with Strict only the pod’s',
    [3000],
    { supplementalGroups: [4000], supplementalGroupsPolicy: 'Strict' },
    [4000],
  ],
  [
    'with Merge both',
    [3000],
    { supplementalGroups: [4000], supplementalGroupsPolicy: 'Merge' },
    [3000, 4000],
  ],
]

for (const [title, groups, security, expected] of groupCases) {
  test(title, () =>
    assert.deepEqual(supplementalGroups({ uid: 1, gid: 1, groups, home: '/' }, security), expected),
  )
}
