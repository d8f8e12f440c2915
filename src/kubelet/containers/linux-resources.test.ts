// Requests and limits as the kernel gets them, one case per rule.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Pod, ResourceRequirements } from '../../api/types/core-v1.ts'
import type { LinuxContainerResources } from '../../runtime/cri/cri.generated.ts'
import { containerResources } from './linux-resources.ts'

const GI = 2 ** 30
const facts = { memoryCapacityBytes: 8 * GI, unifiedCgroups: false }

function resourcesOf(
  own: ResourceRequirements,
  {
    pod,
    unified = false,
    priority = 0,
  }: { pod?: ResourceRequirements; unified?: boolean; priority?: number } = {},
) {
  const container = { name: 'c', resources: own }
  const spec = { containers: [container], priority, ...(pod && { resources: pod }) }
  const made = { metadata: { name: 'p' }, spec, status: {} } as unknown as Pod
  return containerResources(made, container, { ...facts, unifiedCgroups: unified })
}

const cases: [title: string, actual: LinuxContainerResources, expected: Partial<LinuxContainerResources>][] =
  [
    [
      'nothing asked for: the least shares, no limits, first to go',
      resourcesOf({}),
      { cpuShares: 2, cpuQuota: 0, memoryLimitInBytes: 0, oomScoreAdj: 1000 },
    ],
    [
      'a request of cpu is shares',
      resourcesOf({ requests: { cpu: '500m' } }),
      { cpuShares: 512, cpuQuota: 0 },
    ],
    [
      'a limit of cpu is a quota, and shares without a request',
      resourcesOf({ limits: { cpu: '250m' } }),
      { cpuShares: 256, cpuQuota: 25_000, cpuPeriod: 100_000 },
    ],
    ['a tiny limit is the least quota', resourcesOf({ limits: { cpu: '1m' } }), { cpuQuota: 1_000 }],
    [
      'a limit of memory allows no swap',
      resourcesOf({ limits: { memory: '1Gi' } }),
      { memoryLimitInBytes: GI, memorySwapLimitInBytes: GI },
    ],
    [
      'guaranteed pods go last',
      resourcesOf({ limits: { cpu: '1', memory: '1Gi' }, requests: { cpu: '1', memory: '1Gi' } }),
      { oomScoreAdj: -997 },
    ],
    [
      'burstable ones the later, the more they asked for',
      resourcesOf({ requests: { memory: '2Gi' } }),
      { oomScoreAdj: 750 },
    ],
    ['critical ones last of all', resourcesOf({}, { priority: 2_000_001_000 }), { oomScoreAdj: -997 }],
    [
      'the pod’s limit is a container’s that has none',
      resourcesOf({}, { pod: { limits: { cpu: '1', memory: '2Gi' } } }),
      { cpuQuota: 100_000, memoryLimitInBytes: 2 * GI },
    ],
    [
      'its own counts before the pod’s',
      resourcesOf({ limits: { memory: '1Gi' } }, { pod: { limits: { memory: '2Gi' } } }),
      { memoryLimitInBytes: GI },
    ],
    [
      'huge pages in the kernel’s words',
      resourcesOf({ limits: { 'hugepages-2Mi': '4Mi', 'hugepages-1Gi': '1Gi' } }),
      {
        hugepageLimits: [
          { pageSize: '2MB', limit: 4 << 20 },
          { pageSize: '1GB', limit: GI },
        ],
      },
    ],
    [
      'on cgroup v2 a container dies as a whole',
      resourcesOf({}, { unified: true }),
      { unified: { 'memory.oom.group': '1' } },
    ],
  ]

for (const [title, actual, expected] of cases) {
  test(title, () =>
    assert.deepEqual(
      Object.fromEntries(Object.keys(expected).map(key => [key, actual[key as never]])),
      expected,
    ),
  )
}

test('on cgroup v1 there is no such word', () => assert.equal(resourcesOf({}).unified, undefined))
