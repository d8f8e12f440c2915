// The real JavaScript client inside of pods: informers, leader election and a small operator for a kind of its own,
// with nothing but its service account's rights.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { build } from 'esbuild'
import type { Lease } from '../../src/api/types/coordination-v1.ts'
import type { Pod } from '../../src/api/types/core-v1.ts'
import { eventually, pageAt, TestCluster } from './test-cluster.ts'

let cluster: TestCluster
const program = mkdtempSync(join(tmpdir(), 'kubernode-operator-'))

before(async () => {
  await build({
    entryPoints: [join(import.meta.dirname, 'operator', 'operator.ts')],
    outfile: join(program, 'operator.mjs'),
    bundle: true,
    platform: 'node',
    format: 'esm',
    // CommonJS parts of the bundle call require.
    banner: {
      js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
    },
    logLevel: 'error',
  })
  cluster = await TestCluster.up()
  await cluster.loadImages('node')
})

after(async () => {
  await cluster?.[Symbol.asyncDispose]()
  rmSync(program, { recursive: true, force: true })
})

const CRD = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'websites.example.com' },
  spec: {
    group: 'example.com',
    scope: 'Namespaced',
    names: { plural: 'websites', singular: 'website', kind: 'Website', shortNames: ['web'] },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        subresources: { status: {} },
        additionalPrinterColumns: [
          { name: 'Wanted', type: 'integer', jsonPath: '.spec.replicas' },
          { name: 'Ready', type: 'integer', jsonPath: '.status.ready' },
        ],
        schema: {
          openAPIV3Schema: {
            type: 'object',
            properties: {
              spec: {
                type: 'object',
                required: ['page'],
                properties: {
                  page: { type: 'string' },
                  replicas: { type: 'integer', minimum: 0, maximum: 5, default: 1 },
                },
              },
              status: {
                type: 'object',
                properties: { ready: { type: 'integer' }, by: { type: 'string' } },
              },
            },
          },
        },
      },
    ],
  },
}

const RULES = [
  {
    apiGroups: ['example.com'],
    resources: ['websites', 'websites/status'],
    verbs: ['get', 'list', 'watch', 'patch'],
  },
  { apiGroups: [''], resources: ['configmaps'], verbs: ['create', 'patch'] },
  { apiGroups: ['apps'], resources: ['deployments'], verbs: ['create', 'patch', 'list', 'watch'] },
  { apiGroups: ['coordination.k8s.io'], resources: ['leases'], verbs: ['get', 'create', 'update'] },
]

const fromPod = (name: string, fieldPath: string) => ({ name, valueFrom: { fieldRef: { fieldPath } } })

const OPERATOR = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'operator' },
  spec: {
    replicas: 2,
    selector: { matchLabels: { app: 'operator' } },
    template: {
      metadata: { labels: { app: 'operator' } },
      spec: {
        serviceAccountName: 'operator',
        terminationGracePeriodSeconds: 1,
        containers: [
          {
            name: 'operator',
            image: 'node:24',
            command: ['node', '/program/operator.mjs'],
            env: [fromPod('POD_NAME', 'metadata.name'), fromPod('POD_NAMESPACE', 'metadata.namespace')],
            volumeMounts: [{ name: 'program', mountPath: '/program', readOnly: true }],
          },
        ],
        volumes: [{ name: 'program', hostPath: { path: program, type: 'Directory' } }],
      },
    },
  },
}

const rbac = (kind: string, more: object) => ({
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind,
  metadata: { name: 'operator' },
  ...more,
})

const apply = (...items: object[]) =>
  cluster.kubectl('apply -f -', { input: JSON.stringify({ apiVersion: 'v1', kind: 'List', items }) })

const website = (spec: object) => ({
  apiVersion: 'example.com/v1',
  kind: 'Website',
  metadata: { name: 'shop' },
  spec,
})

const leader = async () => (await cluster.json<Lease>('get lease website-operator')).spec?.holderIdentity

test('of two operators one holds the Lease', async () => {
  await apply(CRD)
  await cluster.kubectl('wait --for=condition=Established crd/websites.example.com --timeout=10s')
  await apply(
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'operator' } },
    rbac('Role', { rules: RULES }),
    rbac('RoleBinding', {
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'operator' },
      subjects: [{ kind: 'ServiceAccount', name: 'operator' }],
    }),
    OPERATOR,
  )
  const holder = await eventually('a leader', leader)
  const pods = (await cluster.json<{ items: Pod[] }>('get pods -l app=operator')).items
  assert.ok(pods.some(({ metadata }) => metadata.name === holder))
  await eventually('its informers', async () =>
    (await cluster.kubectl(`logs ${holder}`)).includes(`${holder} leads\ninformers started\n`),
  )
})

test('a Website becomes Pods that serve its page; changes and the status follow', async () => {
  await apply(website({ page: 'open', replicas: 2 }))
  await eventually('two ready', async () =>
    / 2 +2 *$/.test((await cluster.kubectl('get websites --no-headers')).trim()),
  )
  assert.match(await cluster.kubectl('get web'), /^NAME +WANTED +READY *\nshop +2 +2/)
  const pods = (await cluster.json<{ items: Pod[] }>('get pods -l website=shop')).items
  assert.equal(pods.length, 2)
  for (const { status } of pods) assert.equal(await pageAt(`http://${status.podIP}/`), 'open')
  await apply(website({ page: 'open', replicas: 1 }))
  await eventually('one ready', async () =>
    / 1 +1 *$/.test((await cluster.kubectl('get websites --no-headers')).trim()),
  )
})

test('what the schema forbids is refused', async () => {
  const { code, stderr } = await cluster.tryKubectl(['apply', '-f', '-'], {
    input: JSON.stringify(website({ page: 'open', replicas: 9 })),
  })
  assert.equal(code, 1)
  assert.match(
    stderr,
    /spec\.replicas: Invalid value: 9: spec\.replicas in body should be less than or equal to 5/,
  )
})

test('when the leader goes, the other takes over and goes on', async () => {
  const before = await leader()
  await cluster.kubectl(`delete pod ${before}`)
  const after = await eventually('another leader', async () => {
    const holder = await leader()
    return holder !== before && holder
  })
  assert.notEqual(after, before)
  await apply(website({ page: 'open', replicas: 3 }))
  await eventually('three ready', async () =>
    / 3 +3 *$/.test((await cluster.kubectl('get websites --no-headers')).trim()),
  )
})

test('the account may do what its Role says and nothing else', async () => {
  const asked = (what: string) =>
    cluster.tryKubectl(`auth can-i ${what} --as=system:serviceaccount:default:operator`.split(' '))
  assert.equal((await asked('create deployments')).stdout, 'yes\n')
  assert.equal((await asked('delete deployments')).stdout, 'no\n')
  assert.equal((await asked('list secrets')).stdout, 'no\n')
})

test('with the Website goes what belongs to it', async () => {
  await cluster.kubectl('delete website shop')
  await eventually('no Pods', async () => (await cluster.kubectl('get pods -l website=shop -o name')) === '')
  assert.match((await cluster.tryKubectl(['get', 'configmap', 'shop'])).stderr, /NotFound/)
})
