import assert from 'node:assert/strict'
import { test } from 'node:test'
import { failure, type Loose, pod, TestRegistry } from '../registry/test-registry.ts'
import { limitRanger } from './limit-ranger.ts'
import { storageLookup } from './storage-lookup.ts'

async function cluster(...limits: object[]) {
  const api = new TestRegistry(storage => [limitRanger(storageLookup(storage))])
  await api.create('limitranges', { metadata: { name: 'limits' }, spec: { limits } })
  return api
}
const container = (resources: object = {}, name = 'c') => ({ name, image: 'x', resources })
const one = (resources: object) => pod('p', { containers: [container(resources)] })

test('defaults are filled in where nothing is said, and noted', async () => {
  const api = await cluster({
    type: 'Container',
    default: { cpu: '1', memory: '1Gi' },
    defaultRequest: { cpu: '100m' },
  })
  const made = await api.create(
    'pods',
    pod('p', { containers: [container({ limits: { cpu: '2' } })], initContainers: [container({}, 'i')] }),
  )
  const [main, init] = [
    made.spec!.containers as unknown as Loose[],
    made.spec!.initContainers as unknown as Loose[],
  ]
  assert.deepEqual(main[0]!.resources, {
    requests: { cpu: '2', memory: '1Gi' },
    limits: { cpu: '2', memory: '1Gi' },
  })
  assert.deepEqual(init[0]!.resources, {
    requests: { cpu: '100m', memory: '1Gi' },
    limits: { cpu: '1', memory: '1Gi' },
  })
  assert.equal(
    made.metadata.annotations!['kubernetes.io/limit-ranger'],
    'LimitRanger plugin set: memory request for container c; memory limit for container c; cpu, memory request for init container i; cpu, memory limit for init container i',
  )
})

const refusals: [title: string, item: object, pod: object, text: string][] = [
  [
    'too little',
    { type: 'Container', min: { cpu: '200m' } },
    one({ requests: { cpu: '100m' }, limits: { cpu: '1' } }),
    'minimum cpu usage per Container is 200m, but request is 100m',
  ],
  [
    'too much',
    { type: 'Container', max: { memory: '1Gi' } },
    one({ limits: { memory: '2Gi' } }),
    'maximum memory usage per Container is 1Gi, but limit is 2Gi',
  ],
  [
    'a ratio',
    { type: 'Container', maxLimitRequestRatio: { cpu: '2' } },
    one({ requests: { cpu: '100m' }, limits: { cpu: '500m' } }),
    'cpu max limit to request ratio per Container is 2, but provided ratio is 5.000000',
  ],
  [
    'no request for a ratio',
    { type: 'Container', maxLimitRequestRatio: { cpu: '2' } },
    one({}),
    'cpu max limit to request ratio per Container is 2, but no request is specified or request is 0',
  ],
  [
    'two things at once',
    { type: 'Container', max: { cpu: '1', memory: '1Gi' } },
    one({ limits: { cpu: '2', memory: '2Gi' } }),
    '[maximum cpu usage per Container is 1, but limit is 2, maximum memory usage per Container is 1Gi, but limit is 2Gi]',
  ],
  [
    'the sum of a pod',
    { type: 'Pod', max: { cpu: '1' } },
    pod('p', {
      containers: [container({ limits: { cpu: '600m' } }), container({ limits: { cpu: '600m' } }, 'd')],
    }),
    'maximum cpu usage per Pod is 1, but limit is 1200m',
  ],
  [
    'a pod without limits',
    { type: 'Pod', max: { cpu: '1' } },
    one({}),
    'maximum cpu usage per Pod is 1.  No limit is specified',
  ],
]
for (const [title, item, body, text] of refusals) {
  test(`refused: ${title}`, async () => {
    const api = await cluster(item)
    assert.equal((await failure(api.create('pods', body))).message, `pods "p" is forbidden: ${text}`)
  })
}

test('claims have bounds too', async () => {
  const api = await cluster({
    type: 'PersistentVolumeClaim',
    min: { storage: '1Gi' },
    max: { storage: '2Gi' },
  })
  const claim = (storage: string) => ({
    metadata: { name: 'data' },
    spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage } } },
  })
  const refused = await failure(api.create('persistentvolumeclaims', claim('3Gi')))
  assert.equal(
    refused.message,
    'persistentvolumeclaims "data" is forbidden: maximum storage usage per PersistentVolumeClaim is 2Gi, but request is 3Gi',
  )
  await api.create('persistentvolumeclaims', claim('2Gi'))
})
