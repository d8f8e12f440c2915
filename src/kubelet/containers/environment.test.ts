import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ConfigMap, Container, Secret, Service } from '../../api/types/core-v1.ts'
import { podOf, spec } from '../testing/pods.fixture.ts'
import { environment } from './environment.ts'
import { expand } from './expand.ts'
import type { ObjectSource } from './object-source.ts'

const metadata = (name: string, namespace = 'ns') => ({
  name,
  namespace,
  uid: name,
  resourceVersion: '1',
  creationTimestamp: '',
})
const base64 = (text: string) => Buffer.from(text).toString('base64')

const source: ObjectSource = {
  findConfigMap: async (_namespace, name) =>
    name === 'settings'
      ? ({ metadata: metadata(name), data: { color: 'blue', 'bad=key': 'x' } } as unknown as ConfigMap)
      : undefined,
  findSecret: async (_namespace, name) =>
    name === 'login'
      ? ({ metadata: metadata(name), data: { password: base64('hunter2') } } as unknown as Secret)
      : undefined,
  services: async () => [
    {
      metadata: metadata('my-db'),
      spec: { clusterIP: '10.96.0.7', ports: [{ name: 'sql', port: 5432, protocol: 'TCP' }] },
    } as unknown as Service,
  ],
}

const facts = {
  podIPs: ['10.244.0.9'],
  hostIPs: ['192.168.1.5'],
  nodeName: 'node-1',
  allocatable: { cpu: '4', memory: '8Gi' },
  volumeFile: async (_: unknown, volume: string, path: string) =>
    volume === 'config' && path === 'app.env' ? "# made by init\nMODE='fast one'\n" : undefined,
}

const fromFile = (key: string, path: string, optional = false) => ({
  name: 'A',
  valueFrom: { fileKeyRef: { volumeName: 'config', path, key, optional } },
})

async function variables(container: Partial<Container>): Promise<Record<string, string>> {
  const pod = podOf({ enableServiceLinks: false })
  return Object.fromEntries((await environment(pod, spec('app', container), source, facts)).variables)
}

test('values see earlier ones, and escapes stay', async () => {
  const env = await variables({
    env: [
      { name: 'A', value: '1' },
      { name: 'B', value: '$(A) $(NONE) $$(A)' },
    ],
  })
  assert.deepEqual(env, { A: '1', B: '1 $(NONE) $(A)' })
})

test('values come from ConfigMaps, Secrets, the pod and its resources', async () => {
  const env = await variables({
    resources: { limits: { cpu: '1500m' }, requests: { memory: '64Mi' } },
    env: [
      { name: 'COLOR', valueFrom: { configMapKeyRef: { name: 'settings', key: 'color' } } },
      { name: 'PASSWORD', valueFrom: { secretKeyRef: { name: 'login', key: 'password' } } },
      { name: 'IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } },
      { name: 'CPU', valueFrom: { resourceFieldRef: { resource: 'limits.cpu' } } },
      { name: 'MEMORY', valueFrom: { resourceFieldRef: { resource: 'requests.memory', divisor: '1Mi' } } },
      { name: 'ALL', valueFrom: { resourceFieldRef: { resource: 'limits.memory', divisor: '1Gi' } } },
      { name: 'MAYBE', valueFrom: { configMapKeyRef: { name: 'none', key: 'x', optional: true } } },
    ],
  })
  assert.deepEqual(env, {
    COLOR: 'blue',
    PASSWORD: 'hunter2',
    IP: '10.244.0.9',
    CPU: '2',
    MEMORY: '64',
    ALL: '8',
  })
})

test('a value comes from a file in a volume, and what is optional may be missing', async () => {
  assert.deepEqual(await variables({ env: [fromFile('MODE', 'app.env')] }), { A: 'fast one' })
  assert.deepEqual(await variables({ env: [fromFile('NONE', 'app.env', true)] }), {})
  assert.deepEqual(await variables({ env: [fromFile('MODE', 'none.env', true)] }), {})
})

test('whole ConfigMaps come with a prefix, keys that cannot be names are skipped and told', async () => {
  const pod = podOf({ enableServiceLinks: false })
  const container = spec('app', { envFrom: [{ prefix: 'S_', configMapRef: { name: 'settings' } }] })
  const { variables: env, skipped } = await environment(pod, container, source, facts)
  assert.deepEqual(Object.fromEntries(env), { S_color: 'blue' })
  assert.match(skipped[0]!, /^Keys \[bad=key\] from the EnvFrom configMap ns\/settings were skipped/)
})

const missing: Record<string, [Partial<Container>, string]> = {
  'a missing ConfigMap': [{ envFrom: [{ configMapRef: { name: 'none' } }] }, 'configmap "none" not found'],
  'a missing Secret': [
    { env: [{ name: 'A', valueFrom: { secretKeyRef: { name: 'none', key: 'k' } } }] },
    'secret "none" not found',
  ],
  'a missing key': [
    { env: [{ name: 'A', valueFrom: { secretKeyRef: { name: 'login', key: 'k' } } }] },
    "couldn't find key k in Secret ns/login",
  ],
  'a missing file': [
    { env: [fromFile('MODE', 'none.env')] },
    'environment variable key "MODE" not found in file "none.env"',
  ],
  'a file without the key': [
    { env: [fromFile('NONE', 'app.env')] },
    'environment variable key "NONE" not found in file "app.env"',
  ],
}
for (const [name, [container, message]] of Object.entries(missing)) {
  test(`${name} is a configuration error`, () => assert.rejects(variables(container), { message }))
}

test('services of the namespace show as variables when links are on', async () => {
  const { variables: env } = await environment(podOf(), spec('app'), source, facts)
  assert.deepEqual(Object.fromEntries(env), {
    MY_DB_SERVICE_HOST: '10.96.0.7',
    MY_DB_SERVICE_PORT: '5432',
    MY_DB_SERVICE_PORT_SQL: '5432',
    MY_DB_PORT: 'tcp://10.96.0.7:5432',
    MY_DB_PORT_5432_TCP: 'tcp://10.96.0.7:5432',
    MY_DB_PORT_5432_TCP_PROTO: 'tcp',
    MY_DB_PORT_5432_TCP_PORT: '5432',
    MY_DB_PORT_5432_TCP_ADDR: '10.96.0.7',
  })
})

test('$$ is one dollar and an open reference stays text', () => {
  assert.equal(
    expand('$$ $(X $(A)', name => (name === 'A' ? 'a' : undefined)),
    '$ $(X $(A)',
  )
})
