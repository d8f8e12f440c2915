import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { PodSpec } from '../../../api/types/core-v1.ts'
import { failure, pod, TestRegistry } from '../../registry/test-registry.ts'
import { storageLookup } from '../storage-lookup.ts'
import { describeViolations, violationsOf } from './evaluate.ts'
import { podSecurity } from './pod-security.ts'
import { policyOf } from './policy.ts'

const LATEST = Number.POSITIVE_INFINITY
const good = {
  allowPrivilegeEscalation: false,
  runAsNonRoot: true,
  capabilities: { drop: ['ALL'] },
  seccompProfile: { type: 'RuntimeDefault' },
}
const spec = (securityContext: object = {}, more: object = {}, container: object = {}): PodSpec =>
  ({ containers: [{ name: 'a', image: 'x', securityContext, ...container }], ...more }) as unknown as PodSpec

const cases: [title: string, level: 'baseline' | 'restricted', minor: number, spec: PodSpec, said: string][] =
  [
    ['an ordinary pod', 'baseline', LATEST, spec(), ''],
    ['a careful pod', 'restricted', LATEST, spec(good), ''],
    [
      'an ordinary pod is not careful',
      'restricted',
      LATEST,
      spec(),
      'allowPrivilegeEscalation != false (container "a" must set securityContext.allowPrivilegeEscalation=false), unrestricted capabilities (container "a" must set securityContext.capabilities.drop=["ALL"]), runAsNonRoot != true (pod or container "a" must set securityContext.runAsNonRoot=true), seccompProfile (pod or container "a" must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost")',
    ],
    [
      'privileged',
      'baseline',
      LATEST,
      spec({ privileged: true }),
      'privileged (container "a" must not set securityContext.privileged=true)',
    ],
    [
      'host namespaces',
      'baseline',
      LATEST,
      spec({}, { hostNetwork: true, hostIPC: true }),
      'host namespaces (hostNetwork=true, hostIPC=true)',
    ],
    [
      'a hostPath',
      'baseline',
      LATEST,
      spec({}, { volumes: [{ name: 'v', hostPath: { path: '/' } }] }),
      'hostPath volumes (volume "v")',
    ],
    [
      'a hostPath, seen as a type',
      'restricted',
      LATEST,
      spec(good, {
        volumes: [
          { name: 'v', hostPath: { path: '/' } },
          { name: 'n', nfs: { server: 's', path: '/' } },
        ],
      }),
      'restricted volume types (volumes "v", "n" use restricted volume types "hostPath", "nfs")',
    ],
    [
      'host ports',
      'baseline',
      LATEST,
      spec(
        {},
        {},
        {
          ports: [
            { containerPort: 1, hostPort: 81 },
            { containerPort: 2, hostPort: 80 },
          ],
        },
      ),
      'hostPort (container "a" uses hostPorts 80, 81)',
    ],
    [
      'capabilities',
      'baseline',
      LATEST,
      spec({ capabilities: { add: ['NET_ADMIN', 'CHOWN'] } }),
      'non-default capabilities (container "a" must not include "NET_ADMIN" in securityContext.capabilities.add)',
    ],
    [
      'two kinds of capabilities',
      'restricted',
      LATEST,
      spec({ ...good, capabilities: { add: ['CHOWN'] } }),
      'unrestricted capabilities (container "a" must set securityContext.capabilities.drop=["ALL"]; container "a" must not include "CHOWN" in securityContext.capabilities.add)',
    ],
    [
      'procMount',
      'baseline',
      LATEST,
      spec({ procMount: 'Unmasked' }),
      'procMount (container "a" must not set securityContext.procMount to "Unmasked")',
    ],
    [
      'procMount with users of its own',
      'baseline',
      LATEST,
      spec({ procMount: 'Unmasked' }, { hostUsers: false }),
      '',
    ],
    [
      'SELinux',
      'baseline',
      LATEST,
      spec({ seLinuxOptions: { type: 'spc_t', user: 'u' } }),
      'seLinuxOptions (container "a" set forbidden securityContext.seLinuxOptions: type "spc_t"; user may not be set)',
    ],
    [
      'SELinux of an engine, before 1.31',
      'baseline',
      30,
      spec({ seLinuxOptions: { type: 'container_engine_t' } }),
      'seLinuxOptions (container "a" set forbidden securityContext.seLinuxOptions: type "container_engine_t")',
    ],
    [
      'SELinux of an engine',
      'baseline',
      LATEST,
      spec({ seLinuxOptions: { type: 'container_engine_t' } }),
      '',
    ],
    [
      'seccomp',
      'baseline',
      LATEST,
      spec(
        { seccompProfile: { type: 'Unconfined' } },
        { securityContext: { seccompProfile: { type: 'Unconfined' } } },
      ),
      'seccompProfile (pod and container "a" must not set securityContext.seccompProfile.type to "Unconfined")',
    ],
    [
      'sysctls',
      'baseline',
      LATEST,
      spec(
        {},
        {
          securityContext: {
            sysctls: [
              { name: 'kernel.msgmax', value: '1' },
              { name: 'net.ipv4.tcp_rmem', value: '1' },
            ],
          },
        },
      ),
      'forbidden sysctls (kernel.msgmax)',
    ],
    [
      'a sysctl allowed later',
      'baseline',
      31,
      spec({}, { securityContext: { sysctls: [{ name: 'net.ipv4.tcp_rmem', value: '1' }] } }),
      'forbidden sysctls (net.ipv4.tcp_rmem)',
    ],
    [
      'Windows host processes',
      'baseline',
      LATEST,
      spec({}, { securityContext: { windowsOptions: { hostProcess: true } } }),
      'hostProcess (pod must not set securityContext.windowsOptions.hostProcess=true)',
    ],
    [
      'AppArmor',
      'baseline',
      LATEST,
      spec({ appArmorProfile: { type: 'Unconfined' } }),
      'forbidden AppArmor profile (container "a" must not set AppArmor profile type to "Unconfined")',
    ],
    [
      'hosts of probes',
      'baseline',
      LATEST,
      spec({}, {}, { livenessProbe: { httpGet: { port: 80, host: '10.0.0.1' } } }),
      'probe or lifecycle host (container "a" uses probe or lifecycle host "10.0.0.1")',
    ],
    [
      'hosts of probes, before 1.34',
      'baseline',
      33,
      spec({}, {}, { livenessProbe: { httpGet: { port: 80, host: '10.0.0.1' } } }),
      '',
    ],
    [
      'root by number',
      'restricted',
      LATEST,
      spec({ ...good, runAsUser: 0 }),
      'runAsUser=0 (container "a" must not set runAsUser=0)',
    ],
    [
      'root said to be allowed',
      'restricted',
      LATEST,
      spec({ ...good, runAsNonRoot: false }),
      'runAsNonRoot != true (container "a" must not set securityContext.runAsNonRoot=false)',
    ],
    [
      'the pod answers for its containers',
      'restricted',
      LATEST,
      spec(
        { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
        { securityContext: { runAsNonRoot: true, seccompProfile: { type: 'Localhost' } } },
      ),
      '',
    ],
    [
      'Windows knows no such things',
      'restricted',
      LATEST,
      spec({ runAsNonRoot: true }, { os: { name: 'windows' } }),
      '',
    ],
  ]
for (const [title, level, minor, given, said] of cases) {
  test(`${level}: ${title}`, () => {
    assert.equal(describeViolations(violationsOf({ spec: given }, { level, minor })), said)
  })
}

test('labels that cannot be read enforce the most and warn of nothing', () => {
  const { policy, errors } = policyOf({
    'pod-security.kubernetes.io/enforce': 'strict',
    'pod-security.kubernetes.io/warn': 'strict',
    'pod-security.kubernetes.io/warn-version': '1.25',
  })
  assert.deepEqual(
    [policy.enforce.level, policy.warn.level, policy.warn.minor],
    ['restricted', 'privileged', LATEST],
  )
  assert.equal(errors.length, 3)
})

async function cluster(labels: Record<string, string>) {
  const api = new TestRegistry(storage => [podSecurity(storageLookup(storage))])
  await api.create('namespaces', { metadata: { name: 'ns', labels } })
  return api
}

test('a namespace that enforces refuses, and does not look at what controllers hold', async () => {
  const api = await cluster({
    'pod-security.kubernetes.io/enforce': 'baseline',
    'pod-security.kubernetes.io/enforce-version': 'v1.25',
  })
  const refused = await failure(api.create('pods', pod('p', { hostPID: true })))
  assert.deepEqual(
    [refused.code, refused.message],
    [403, 'pods "p" is forbidden: violates PodSecurity "baseline:v1.25": host namespaces (hostPID=true)'],
  )
  await api.create('pods', pod('fine'))
  await api.create('apps/v1/replicasets', {
    metadata: { name: 'rs' },
    spec: {
      selector: { matchLabels: { a: 'b' } },
      template: { metadata: { labels: { a: 'b' } }, spec: pod('x', { hostPID: true }).spec },
    },
  })
})

test('a namespace that warns says so, of pods and of templates', async () => {
  const api = await cluster({ 'pod-security.kubernetes.io/warn': 'baseline' })
  const template = { metadata: { labels: { a: 'b' } }, spec: pod('x', { hostPID: true }).spec }
  for (const [resource, body] of [
    ['pods', pod('p', { hostPID: true })],
    [
      'apps/v1/deployments',
      { metadata: { name: 'd' }, spec: { selector: { matchLabels: { a: 'b' } }, template } },
    ],
  ] as const) {
    const answer = await api.send('create', resource, { body: structuredClone(body) })
    const { warnings } = answer as { warnings?: string[] }
    assert.ok(
      warnings?.includes('would violate PodSecurity "baseline:latest": host namespaces (hostPID=true)'),
      resource,
    )
  }
})

test('a namespace that becomes stricter tells of the pods that are there, and takes no wrong labels', async () => {
  const api = await cluster({})
  for (const name of ['b', 'a']) await api.create('pods', pod(name, { hostPID: true }))
  await api.create('pods', pod('c', { hostPID: true, hostIPC: true }))
  const patch = (document: object) =>
    api.send('patch', 'namespaces', { name: 'ns', patch: { type: 'application/merge-patch+json', document } })
  const answer = await patch({ metadata: { labels: { 'pod-security.kubernetes.io/enforce': 'baseline' } } })
  assert.deepEqual((answer as { warnings?: string[] }).warnings, [
    'existing pods in namespace "ns" violate the new PodSecurity enforce level "baseline:latest"',
    'a (and 2 other pods): host namespaces',
  ])
  const wrong = await failure(
    patch({ metadata: { labels: { 'pod-security.kubernetes.io/enforce': 'none' } } }),
  )
  assert.equal(
    wrong.message,
    'Namespace "ns" is invalid: metadata.labels[pod-security.kubernetes.io/enforce]: Invalid value: "none": must be one of privileged, baseline, restricted',
  )
})
