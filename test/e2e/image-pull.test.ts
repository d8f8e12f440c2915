// Images from real registries: one with a password behind a private authority, one that is a mirror. Who may use
// what was pulled, the pull policies, and what failing pulls say.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, type TestContext, test } from 'node:test'
import type { Pod } from '../../src/api/types/core-v1.ts'
import {
  type DockerRegistry,
  PASSWORD,
  startDockerRegistry,
  USER,
} from '../../src/runtime/native/images/test-support/docker-registry.ts'
import { imageFromLayout, pushImage } from '../../src/runtime/native/images/test-support/test-image.ts'
import { eventually, TestCluster } from './test-cluster.ts'

const busybox = imageFromLayout(join(import.meta.dirname, '..', '..', '.cache', 'images', 'busybox'))
const folder = mkdtempSync(join(tmpdir(), 'kubernode-registries-'))
const undo: (() => void)[] = []
// What the registries of the tests beside the image store end with.
const context = { after: (back: () => void) => undo.push(back) } as unknown as TestContext

let secured: DockerRegistry
let mirror: DockerRegistry
let cluster: TestCluster

before(async () => {
  secured = await startDockerRegistry(context, { password: true, secure: true })
  mirror = await startDockerRegistry(context)
  for (const repository of ['team/app', 'team/other']) {
    await pushImage(secured.base, repository, 'v1', busybox, secured.request)
  }
  await pushImage(mirror.base, 'library/tool', 'v1', busybox, mirror.request)
  const file = join(folder, 'registries.yaml')
  writeFileSync(
    file,
    `mirrors:
  registry.invalid: {endpoint: ["${mirror.base}"]}
configs:
  "${secured.host}": {tls: {ca_file: "${secured.caFile}"}}
`,
  )
  cluster = await TestCluster.up('--registries', file)
  await cluster.kubectl([
    'create',
    'secret',
    'docker-registry',
    'pull',
    `--docker-server=https://${secured.host}`,
    `--docker-username=${USER}`,
    `--docker-password=${PASSWORD}`,
  ])
  await cluster.kubectl([
    'create',
    'secret',
    'docker-registry',
    'wrong',
    `--docker-server=${secured.host}`,
    `--docker-username=${USER}`,
    '--docker-password=nonsense',
  ])
})

after(async () => {
  await cluster?.[Symbol.asyncDispose]()
  for (const back of undo.toReversed()) back()
  rmSync(folder, { recursive: true, force: true })
})

async function create(name: string, image: string, more: object = {}, policy?: string): Promise<void> {
  const container = {
    name: 'c',
    image,
    command: ['sleep', '1000'],
    ...(policy && { imagePullPolicy: policy }),
  }
  const spec = { terminationGracePeriodSeconds: 0, containers: [container], ...more }
  const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name }, spec }
  await cluster.kubectl('create -f -', { input: JSON.stringify(pod) })
}

const withSecret = (name: string) => ({ imagePullSecrets: [{ name }] })

async function events(pod: string): Promise<string> {
  return cluster.kubectl(`get events --field-selector involvedObject.name=${pod} -o custom-columns=:.message`)
}

async function waitingReason(name: string): Promise<{ reason?: string; message?: string }> {
  const pod = await cluster.json<Pod>(`get pod ${name}`)
  return pod.status.containerStatuses?.[0]?.state?.waiting ?? {}
}

test('a mirror serves the images of a registry that cannot be reached', async () => {
  await create('mirrored', 'registry.invalid/library/tool:v1')
  await cluster.kubectl('wait --for=condition=Ready pod/mirrored --timeout=20s')
  assert.match(
    await events('mirrored'),
    /Successfully pulled image "registry\.invalid\/library\/tool:v1" in \S+ \(\S+ including waiting\)\. Image size: \d+ bytes\./,
  )
})

test('without a secret the pull is denied, backs off, and the status says why', async () => {
  await create('denied', `${secured.host}/team/app:v1`)
  const { message } = await eventually('ErrImagePull', async () => {
    const waiting = await waitingReason('denied')
    return /^(ErrImagePull|ImagePullBackOff)$/.test(waiting.reason ?? '') && waiting
  })
  assert.match(message!, /pull access denied|no basic auth credentials/)
  await eventually(
    'ImagePullBackOff',
    async () => (await waitingReason('denied')).reason === 'ImagePullBackOff',
  )
  const row = await cluster.kubectl('get pod denied --no-headers')
  assert.match(row, /0\/1 +ImagePullBackOff +0 /)
  assert.match(await events('denied'), /Back-off pulling image ".*team\/app:v1"/)
  assert.match(await events('denied'), /Failed to pull image ".*team\/app:v1": .*pull access denied/)
})

test('a secret that does not exist is told, wrong credentials are refused', async () => {
  await create('unfound', `${secured.host}/team/app:v1`, withSecret('nowhere'))
  await eventually('the event', async () =>
    (await events('unfound')).includes(
      'Unable to retrieve some image pull secrets (nowhere); attempting to pull the image may not succeed.',
    ),
  )
  await create('refused', `${secured.host}/team/app:v1`, withSecret('wrong'))
  await eventually('the refusal', async () => /authorization failed/.test(await events('refused')))
})

test("a Pod's own secret, or its service account's, opens a registry behind a private authority", async () => {
  await create('opened', `${secured.host}/team/app:v1`, withSecret('pull'))
  await cluster.kubectl('create serviceaccount puller')
  await cluster.kubectl([
    'patch',
    'serviceaccount',
    'puller',
    '-p',
    JSON.stringify({ imagePullSecrets: [{ name: 'pull' }] }),
  ])
  await create('by-account', `${secured.host}/team/other:v1`, { serviceAccountName: 'puller' })
  await cluster.kubectl('wait --for=condition=Ready pod/opened pod/by-account --timeout=20s')
  const pod = await cluster.json<Pod>('get pod by-account')
  assert.deepEqual(pod.spec.imagePullSecrets, [{ name: 'pull' }])
  assert.match(pod.status.containerStatuses![0]!.imageID, /team\/(app|other)@sha256:[0-9a-f]{64}$/)
})

test('an image that a secret brought is not for Pods without one, even after a restart of the program', async () => {
  await create('copycat', `${secured.host}/team/app:v1`, {}, 'IfNotPresent')
  await eventually('the refusal', async () => /pull access denied/.test(await events('copycat')))
  await create('never', `${secured.host}/team/app:v1`, {}, 'Never')
  await eventually(
    'ErrImageNeverPull',
    async () => (await waitingReason('never')).reason === 'ErrImageNeverPull',
  )
  cluster.killProgram()
  await cluster.start()
  await create('copycat-again', `${secured.host}/team/app:v1`, {}, 'IfNotPresent')
  await eventually('the refusal', async () => /pull access denied/.test(await events('copycat-again')))
  await create('allowed', `${secured.host}/team/app:v1`, withSecret('pull'), 'IfNotPresent')
  await cluster.kubectl('wait --for=condition=Ready pod/allowed --timeout=20s')
  assert.match(await events('allowed'), /already present on machine and can be accessed by the pod/)
})

test('the policies: Never does not pull, Always asks the registry each time', async () => {
  await create('absent', 'registry.invalid/library/absent:v1', {}, 'Never')
  await eventually(
    'ErrImageNeverPull',
    async () => (await waitingReason('absent')).reason === 'ErrImageNeverPull',
  )
  assert.equal(
    (await waitingReason('absent')).message,
    'Container image "registry.invalid/library/absent:v1" is not present with pull policy of Never',
  )
  await create('always', 'registry.invalid/library/tool:v1', {}, 'Always')
  await cluster.kubectl('wait --for=condition=Ready pod/always --timeout=20s')
  assert.match(await events('always'), /Pulling image "registry\.invalid\/library\/tool:v1"/)
  await create('missing', `${mirror.host}/library/tool:v9`)
  await eventually('not found', async () => /\/library\/tool:v9: not found/.test(await events('missing')))
  await create('malformed', 'registry.invalid/Tool:v9')
  await eventually(
    'InvalidImageName',
    async () => (await waitingReason('malformed')).reason === 'InvalidImageName',
  )
})
