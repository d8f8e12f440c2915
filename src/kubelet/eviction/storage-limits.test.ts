import assert from 'node:assert/strict'
import test from 'node:test'
import type { Volume } from '../../api/types/core-v1.ts'
import { files, MI, usage } from '../testing/eviction.fixture.ts'
import { podOf, spec } from '../testing/pods.fixture.ts'
import type { PodUsage } from './pod-usage.ts'
import { exceededLimit } from './storage-limits.ts'

const disk = (volumes: Volume[], limits?: string, more: Partial<PodUsage> = {}): PodUsage => ({
  ...usage('p', 0),
  pod: podOf({
    containers: [spec('app', limits ? { resources: { limits: { 'ephemeral-storage': limits } } } : {})],
    volumes,
  }),
  ...more,
})

const limits: [string, PodUsage, string | undefined][] = [
  [
    'an emptyDir beyond its limit',
    disk([{ name: 'v', emptyDir: { sizeLimit: '1Mi' } }], undefined, { emptyDirs: { v: files(2 * MI) } }),
    'Usage of EmptyDir volume "v" exceeds the limit "1Mi". ',
  ],
  [
    'an emptyDir in memory, which cannot grow beyond it',
    disk([{ name: 'v', emptyDir: { sizeLimit: '1Mi', medium: 'Memory' } }], undefined, {
      emptyDirs: { v: files(2 * MI) },
    }),
    undefined,
  ],
  [
    'logs and layer beyond the limit of all containers',
    disk([], '1Mi', { containers: [{ name: 'app', memory: 0, rootfs: files(MI), logs: files(MI) }] }),
    'Pod ephemeral local storage usage exceeds the total limit of containers 1Mi. ',
  ],
  [
    'what is within its limits',
    disk([], '1Mi', { containers: [{ name: 'app', memory: 0, rootfs: files(1), logs: files(1) }] }),
    undefined,
  ],
]

for (const [what, pod, message] of limits) {
  test(`${what}: ${message ?? 'nothing happens'}`, () => {
    assert.equal(exceededLimit(pod, false), message)
  })
}
