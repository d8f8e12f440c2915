import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Pod, PodSpec } from '../../api/types/core-v1.ts'
import { refusedByHost } from './host-features.ts'

const podOf = (spec: Partial<PodSpec>, annotations: Record<string, string> = {}) =>
  ({
    metadata: { name: 'a', uid: 'u', annotations },
    spec: { containers: [{ name: 'c' }], ...spec },
    status: { phase: 'Pending' },
  }) as unknown as Pod

const sysctl = (name: string, more: Partial<PodSpec> = {}) =>
  podOf({ securityContext: { sysctls: [{ name, value: '1' }] }, ...more })

const node = { unsafeSysctls: ['kernel.msg*', 'net.core.somaxconn'], hasAppArmor: false }

const cases: [title: string, pod: Pod, message: string | undefined][] = [
  ['a safe setting is taken', sysctl('kernel.shm_rmid_forced'), undefined],
  ['slashes name the same setting', sysctl('net/ipv4/tcp_syncookies'), undefined],
  ['an unsafe one is not', sysctl('kernel.shmmax'), 'forbidden sysctl: "kernel.shmmax" not allowlisted'],
  ['the node may allow unsafe ones by their beginning', sysctl('kernel.msgmax'), undefined],
  ['or by their name', sysctl('net.core.somaxconn'), undefined],
  [
    'with the host network there are no settings of its own',
    sysctl('net.ipv4.tcp_syncookies', { hostNetwork: true }),
    'forbidden sysctl: "net.ipv4.tcp_syncookies" not allowed with host net enabled',
  ],
  [
    'nor with the host IPC',
    sysctl('kernel.shm_rmid_forced', { hostIPC: true }),
    'forbidden sysctl: "kernel.shm_rmid_forced" not allowed with host ipc enabled',
  ],
  [
    'AppArmor unconfined is how this node runs everything',
    podOf({ securityContext: { appArmorProfile: { type: 'Unconfined' } } }),
    undefined,
  ],
  [
    'a profile cannot be enforced without AppArmor',
    podOf({ securityContext: { appArmorProfile: { type: 'RuntimeDefault' } } }),
    'Cannot enforce AppArmor: AppArmor is not enabled on the host',
  ],
  [
    'nor one of an annotation',
    podOf({}, { 'container.apparmor.security.beta.kubernetes.io/c': 'runtime/default' }),
    'Cannot enforce AppArmor: AppArmor is not enabled on the host',
  ],
]

for (const [title, pod, message] of cases) {
  test(title, () =>
    assert.equal(refusedByHost(pod, node)?.message, message && `Pod was rejected: ${message}`),
  )
}
