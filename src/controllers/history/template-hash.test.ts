import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { PodTemplateSpec } from '../../api/types/core-v1.ts'
import { dumpForHash } from './go-dump.ts'
import { fnv32, safeEncode, templateHash } from './template-hash.ts'

const DEFAULTS = {
  restartPolicy: 'Always',
  schedulerName: 'default-scheduler',
  securityContext: {},
  terminationGracePeriodSeconds: 30,
}
const MESSAGES = { terminationMessagePath: '/dev/termination-log', terminationMessagePolicy: 'File' }

/** What `kubectl create deployment nginx --image=nginx` makes. */
const nginx = {
  metadata: { labels: { app: 'nginx' } },
  spec: {
    ...DEFAULTS,
    dnsPolicy: 'ClusterFirst',
    containers: [{ name: 'nginx', image: 'nginx', imagePullPolicy: 'Always', resources: {}, ...MESSAGES }],
  },
} as unknown as PodTemplateSpec

/** With quantities, ports, probes, affinity, tolerations and volumes: the DNS server that kubeadm sets up. */
const coredns = (tag: string) =>
  ({
    metadata: { labels: { 'k8s-app': 'kube-dns' } },
    spec: {
      ...DEFAULTS,
      dnsPolicy: 'Default',
      priorityClassName: 'system-cluster-critical',
      serviceAccountName: 'coredns',
      serviceAccount: 'coredns',
      nodeSelector: { 'kubernetes.io/os': 'linux' },
      affinity: {
        podAntiAffinity: {
          preferredDuringSchedulingIgnoredDuringExecution: [
            {
              weight: 100,
              podAffinityTerm: {
                labelSelector: {
                  matchExpressions: [{ key: 'k8s-app', operator: 'In', values: ['kube-dns'] }],
                },
                topologyKey: 'kubernetes.io/hostname',
              },
            },
          ],
        },
      },
      tolerations: [
        { key: 'CriticalAddonsOnly', operator: 'Exists' },
        { key: 'node-role.kubernetes.io/control-plane', effect: 'NoSchedule' },
      ],
      containers: [
        {
          name: 'coredns',
          image: `registry.k8s.io/coredns/coredns:${tag}`,
          imagePullPolicy: 'IfNotPresent',
          args: ['-conf', '/etc/coredns/Corefile'],
          resources: { limits: { memory: '170Mi' }, requests: { cpu: '100m', memory: '70Mi' } },
          volumeMounts: [{ name: 'config-volume', mountPath: '/etc/coredns', readOnly: true }],
          ports: [
            { containerPort: 53, name: 'dns', protocol: 'UDP' },
            { containerPort: 53, name: 'dns-tcp', protocol: 'TCP' },
            { containerPort: 9153, name: 'metrics', protocol: 'TCP' },
          ],
          livenessProbe: {
            httpGet: { path: '/health', port: 8080, scheme: 'HTTP' },
            initialDelaySeconds: 60,
            timeoutSeconds: 5,
            periodSeconds: 10,
            successThreshold: 1,
            failureThreshold: 5,
          },
          readinessProbe: {
            httpGet: { path: '/ready', port: 8181, scheme: 'HTTP' },
            timeoutSeconds: 1,
            periodSeconds: 10,
            successThreshold: 1,
            failureThreshold: 3,
          },
          securityContext: {
            allowPrivilegeEscalation: false,
            capabilities: { add: ['NET_BIND_SERVICE'], drop: ['ALL'] },
            readOnlyRootFilesystem: true,
          },
          ...MESSAGES,
        },
      ],
      volumes: [
        {
          name: 'config-volume',
          configMap: { name: 'coredns', items: [{ key: 'Corefile', path: 'Corefile' }], defaultMode: 420 },
        },
      ],
    },
  }) as unknown as PodTemplateSpec

/** Fields that came with a version, newest first: without them the hash is what older clusters give. */
const NEW_FIELDS: [version: string, fields: string[]][] = [
  ['1.36', [' SchedulingGroup:(*v1.PodSchedulingGroup)<nil>']],
  ['1.34', [' RestartPolicyRules:([]v1.ContainerRestartRule)<nil>', ' HostnameOverride:(*string)<nil>']],
  [
    '1.32',
    [' Resources:(*v1.ResourceRequirements)<nil>', ' SELinuxChangePolicy:(*v1.PodSELinuxChangePolicy)<nil>'],
  ],
  ['1.31', [' SupplementalGroupsPolicy:(*v1.SupplementalGroupsPolicy)<nil>']],
  ['1.30', [' AppArmorProfile:(*v1.AppArmorProfile)<nil>']],
]

function hashOfVersion(template: PodTemplateSpec, version: string): string {
  const newer = NEW_FIELDS.filter(([since]) => since > version).flatMap(([, fields]) => fields)
  const text = newer.reduce(
    (dump, field) => dump.replaceAll(field, ''),
    dumpForHash('core/v1.PodTemplateSpec', template),
  )
  return safeEncode(String(fnv32(Buffer.from(text), '1a')))
}

const seenOnClusters: [PodTemplateSpec, version: string, hash: string][] = [
  [nginx, '1.34', '66686b6766'],
  [nginx, '1.33', '5869d7778c'],
  [nginx, '1.31', '676b6c5bbc'],
  [nginx, '1.30', 'bf5d5cf98'],
  [nginx, '1.29', '7854ff8877'],
  [coredns('v1.11.3'), '1.31', '7c65d6cfc9'],
  [coredns('v1.11.3'), '1.32', '668d6bf9bc'],
  [coredns('v1.12.0'), '1.33', '674b8bbfcf'],
]

for (const [template, version, hash] of seenOnClusters) {
  const [container] = template.spec.containers
  test(`${container!.image} has the hash that clusters of ${version} gave it`, () => {
    assert.equal(hashOfVersion(template, version), hash)
  })
}

test('the hash of a template with the fields of this version', () => {
  assert.equal(templateHash(nginx), '7f8fbb96d')
  assert.equal(templateHash(nginx), hashOfVersion(nginx, '1.36'))
})

test('a collision leads to another hash, each time to a different one', () => {
  const hashes = [undefined, 0, 1, 2].map(count => templateHash(nginx, count))
  assert.equal(new Set(hashes).size, 4)
})

test('empty lists and maps count as absent', () => {
  const template = structuredClone(nginx)
  template.spec.volumes = []
  template.metadata!.annotations = {}
  assert.equal(templateHash(template), templateHash(nginx))
})

test('fnv gives the values that its authors publish', () => {
  assert.equal(fnv32(Buffer.from('foobar'), '1a'), 0xbf9cf968)
  assert.equal(fnv32(Buffer.from('foobar'), '1'), 0x31f0b262)
})
