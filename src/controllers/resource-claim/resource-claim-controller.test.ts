// ResourceClaims from templates, over the real API server.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Draft } from '../../api/kube-object.ts'
import { pods as podResource, resourceClaims, resourceClaimTemplates } from '../../api/resources.ts'
import type { Pod } from '../../api/types/core-v1.ts'
import type { ResourceClaim, ResourceClaimTemplate } from '../../api/types/resource-v1.ts'
import { ControlWorld } from '../testing/control-world.fixture.ts'
import { meta, templateOf } from '../testing/workload-objects.fixture.ts'
import { type ClaimStep, decideClaim, FINALIZER } from './decide-claim.ts'
import { claimFromTemplate, POD_CLAIM } from './decide-pod-claims.ts'
import { ResourceClaimController } from './resource-claim-controller.ts'

const devices = { requests: [{ name: 'gpu', exactly: { deviceClassName: 'example.com' } }] }
const template: Draft<ResourceClaimTemplate> = {
  metadata: { name: 'gpus', namespace: 'default' },
  spec: { metadata: { labels: { from: 'template' } }, spec: { devices } },
}
const podDraft = (name: string): Draft<Pod> => ({
  metadata: { name, namespace: 'default' },
  spec: {
    ...structuredClone(templateOf('web:1').spec),
    resourceClaims: [{ name: 'card', resourceClaimTemplateName: 'gpus' }],
  },
})

async function start() {
  const world = await ControlWorld.create()
  const { client, clock, log } = world
  world.start(signal => new ResourceClaimController({ client, clock, log }).run(signal))
  return { world, client }
}

const KEY = { name: 'web', namespace: 'default' }

test('a Pod that somebody bound by hand uses the devices that its claim has', async () => {
  const { world, client } = await start()
  await using _ = world
  const made = await client.create(resourceClaims, {
    metadata: { name: 'mine', namespace: 'default' },
    spec: { devices },
  } as Draft<ResourceClaim>)
  const results = [{ request: 'gpu', driver: 'gpu.example.com', pool: 'n', device: 'gpu-0' }]
  const status = { allocation: { devices: { results } } }
  await client.update(resourceClaims, { ...made, status }, { subresource: 'status' })
  const draft = podDraft('web')
  draft.spec.nodeName = 'n'
  draft.spec.resourceClaims = [{ name: 'card', resourceClaimName: 'mine' }]
  const { metadata } = await client.create(podResource, draft)
  await world.advance(1_000)
  const claim = await client.get(resourceClaims, { name: 'mine', namespace: 'default' })
  assert.deepEqual(claim.status.reservedFor, [{ resource: 'pods', name: 'web', uid: metadata.uid }])
})

test('a Pod gets a claim from its template, told in its status, and the claim goes when the Pod is done', async () => {
  const { world, client } = await start()
  await using _ = world
  await client.create(resourceClaimTemplates, structuredClone(template))
  const pod = await client.create(podResource, podDraft('web'))
  await world.advance(1_000)
  const [claim] = (await client.list(resourceClaims)).items
  assert.match(claim!.metadata.name, /^web-card-[a-z0-9]{5}$/)
  assert.deepEqual(claim!.metadata.labels, { from: 'template' })
  assert.equal(claim!.metadata.annotations?.[POD_CLAIM], 'card')
  assert.deepEqual(claim!.metadata.ownerReferences, [
    {
      apiVersion: 'v1',
      kind: 'Pod',
      name: 'web',
      uid: pod.metadata.uid,
      controller: true,
      blockOwnerDeletion: true,
    },
  ])
  assert.deepEqual(claim!.spec.devices.requests?.[0]?.name, 'gpu')
  const told = await client.get(podResource, KEY)
  assert.deepEqual(told.status.resourceClaimStatuses, [
    { name: 'card', resourceClaimName: claim!.metadata.name },
  ])
  await client.update(
    podResource,
    { ...told, status: { ...told.status, phase: 'Succeeded' } },
    { subresource: 'status' },
  )
  await world.advance(1_000)
  assert.deepEqual(await world.names(resourceClaims), [])
})

test('without its template a Pod is told what is missing, and gets its claim when it is there', async () => {
  const { world, client } = await start()
  await using _ = world
  await client.create(podResource, podDraft('web'))
  await world.advance(10)
  assert.deepEqual(await world.names(resourceClaims), [])
  const events = await world.events()
  assert.ok(
    events.some(text =>
      text.includes(
        'PodResourceClaim card: resource claim template "gpus": resourceclaimtemplate.resource.k8s.io "gpus" not found',
      ),
    ),
    events.join(),
  )
  await client.create(resourceClaimTemplates, structuredClone(template))
  await world.advance(5_000)
  assert.equal((await world.names(resourceClaims)).length, 1)
})

test('a claim that somebody deleted is made anew', async () => {
  const { world, client } = await start()
  await using _ = world
  await client.create(resourceClaimTemplates, structuredClone(template))
  await client.create(podResource, podDraft('web'))
  await world.advance(1_000)
  const [first] = (await client.list(resourceClaims)).items
  await client.delete(resourceClaims, { name: first!.metadata.name, namespace: 'default' })
  await world.advance(1_000)
  const [second] = (await client.list(resourceClaims)).items
  assert.notEqual(second!.metadata.name, first!.metadata.name)
  const { status } = await client.get(podResource, KEY)
  assert.equal(status.resourceClaimStatuses?.[0]?.resourceClaimName, second!.metadata.name)
})

test('long names are both cut, in proportion', () => {
  const pod = { metadata: meta('p'.repeat(60)), spec: {}, status: {} } as Pod
  const { metadata } = claimFromTemplate(pod, { name: 'c'.repeat(60) }, template as ResourceClaimTemplate)
  assert.match(metadata.generateName!, /^p{28}-c{28}$/)
})

const running = { metadata: meta('web'), spec: { nodeName: 'n' }, status: { phase: 'Running' } } as Pod
const done = { ...running, status: { phase: 'Failed' } } as Pod
const uid = running.metadata.uid
const byPods = (...names: string[]) => names.map(name => ({ resource: 'pods', name, uid: `uid-${name}` }))
const allocation = { devices: {} }
const claim = (status: ResourceClaim['status'], metadata: object = {}): ResourceClaim =>
  ({ metadata: { ...meta('c'), ...metadata }, spec: { devices: {} }, status }) as ResourceClaim
const owned = { ownerReferences: [{ apiVersion: 'v1', kind: 'Pod', name: 'web', uid, controller: true }] }
const deleted = { deletionTimestamp: '2026-01-01T00:00:00Z' }
const guarded = { finalizers: [FINALIZER] }

const steps: Record<string, [ResourceClaim, Pod | undefined, ClaimStep]> = {
  'one that its Pod uses stays': [
    claim({ allocation, reservedFor: byPods('web') }, guarded),
    running,
    { do: 'nothing' },
  ],
  'a Pod that has ended uses nothing, and the devices are free': [
    claim({ allocation, reservedFor: byPods('web') }, guarded),
    done,
    { do: 'updateStatus', status: {}, isFree: true },
  ],
  'one of two users has gone': [
    claim({ allocation, reservedFor: byPods('web', 'gone') }, guarded),
    running,
    { do: 'updateStatus', status: { allocation, reservedFor: byPods('web') }, isFree: false },
  ],
  'users of other kinds are not judged': [
    claim(
      { allocation, reservedFor: [{ apiGroup: 'x.io', resource: 'jobs', name: 'j', uid: 'u' }] },
      guarded,
    ),
    undefined,
    { do: 'nothing' },
  ],
  'one that is about to get devices is left alone': [claim({}, guarded), undefined, { do: 'nothing' }],
  'one that has devices and no user yet keeps them': [
    claim({ allocation }, guarded),
    undefined,
    { do: 'nothing' },
  ],
  'one that is deleted gives its devices back': [
    claim({ allocation }, { ...guarded, ...deleted }),
    undefined,
    { do: 'updateStatus', status: {}, isFree: true },
  ],
  'one that is deleted stays while somebody uses it': [
    claim({ allocation, reservedFor: byPods('web') }, { ...guarded, ...deleted }),
    running,
    { do: 'nothing' },
  ],
  'without devices it may go': [claim({}, { ...guarded, ...deleted }), undefined, { do: 'removeFinalizer' }],
  'one of a Pod that has ended goes': [claim({}, owned), done, { do: 'delete' }],
  'one of a Pod that waits stays': [claim({}, owned), running, { do: 'nothing' }],
  'one whose Pod is not there is left to the garbage collector': [
    claim({}, owned),
    undefined,
    { do: 'nothing' },
  ],
  'somebody’s own stays': [claim({}), undefined, { do: 'nothing' }],
}

for (const [title, [given, pod, expected]] of Object.entries(steps)) {
  test(`resource claims: ${title}`, () =>
    assert.deepEqual(
      decideClaim(given, name => (name === 'web' ? pod : undefined)),
      expected,
    ))
}
