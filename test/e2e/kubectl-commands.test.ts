// The everyday commands of kubectl against one running Pod: logs, edit, apply, delete.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, before, test } from 'node:test'
import type { Pod } from '../../src/api/types/core-v1.ts'
import { eventually, type KubectlVersion, TestCluster } from './test-cluster.ts'

let cluster: TestCluster

before(async () => {
  cluster = await TestCluster.up()
})

after(async () => {
  await cluster?.[Symbol.asyncDispose]()
})

const counter = (name: string, extra = '') => `
apiVersion: v1
kind: Pod
metadata:
  name: ${name}
  labels: {app: counter}
spec:
  initContainers:
  - name: prepare
    image: busybox:1.30
    command: [sh, -c, "echo prepared; echo to stderr >&2"]
  containers:
  - name: count
    image: busybox:1.30
    command: [sh, -c, "trap 'echo bye; exit 0' TERM; i=0; while true; do echo line $i; i=$((i+1)); sleep 0.2; done"]
  ${extra}
`

const isRunning = (name: string) =>
  eventually(
    `${name} Running`,
    async () => (await cluster.json<Pod>(`get pod ${name}`)).status.phase === 'Running',
  )

test('apply creates, finds nothing to change the second time, and changes a label the third', async () => {
  for (const version of ['1.20', '1.36'] as KubectlVersion[]) {
    const name = `applied-${version.replace('.', '-')}`
    const apply = (input: string) => cluster.kubectl('apply -f -', { input, version })
    assert.equal(await apply(counter(name)), `pod/${name} created\n`)
    assert.equal(await apply(counter(name)), `pod/${name} unchanged\n`)
    assert.equal(await apply(counter(name).replace('app: counter', 'app: other')), `pod/${name} configured\n`)
    assert.match(await cluster.kubectl(`get pods -l app=other`, { version }), new RegExp(name))
    await cluster.kubectl(`delete pod ${name} --now`, { version })
  }
})

test('logs: one container, an init container, tail, and following until the container ends', async () => {
  await cluster.kubectl('create -f -', { input: counter('talker') })
  await isRunning('talker')
  assert.deepEqual((await cluster.kubectl('logs talker -c prepare')).trim().split('\n').sort(), [
    'prepared',
    'to stderr',
  ])
  await eventually('some lines', async () =>
    (await cluster.kubectl('logs talker -c count')).includes('line 3\n'),
  )
  assert.match(await cluster.kubectl('logs talker -c count --tail=1'), /^line \d+\n$/)
  assert.match(
    await cluster.kubectl('logs talker -c count --timestamps --tail=1'),
    /^\d{4}-\d\d-\d\dT[\d:.]+Z line \d+\n$/,
  )
  const follow = cluster.follow('logs -f talker -c count')
  await eventually('new lines', () => follow.lines.length > 5)
  await cluster.kubectl('delete pod talker --wait=true')
  const { code } = await follow.ended
  assert.equal(code, 0)
  assert.equal(follow.lines.at(-1), 'bye')
  const numbers = follow.lines.slice(0, -1).map(line => Number(line.split(' ')[1]))
  assert.deepEqual(
    numbers,
    numbers.map((_, index) => index),
  )
  const gone = await cluster.tryKubectl(['logs', 'talker'])
  assert.match(gone.stderr, /pods "talker" not found/)
})

test('edit may change the image, and nothing else of the spec', async () => {
  await cluster.kubectl('create -f -', { input: counter('edited') })
  await isRunning('edited')
  const image = await cluster.edit(
    'pod edited',
    '/^  containers:/,$ s/image: busybox:1.30/image: busybox:1.28/',
  )
  assert.equal(image.stdout, 'pod/edited edited\n')
  const restarted = await eventually('the container to restart with the new image', async () => {
    const { status } = await cluster.json<Pod>('get pod edited')
    const [count] = status.containerStatuses!
    return count!.restartCount === 1 && count!.state?.running && count
  })
  assert.match(restarted.image, /busybox:1\.28$/)
  const refused = await cluster.edit('pod edited', 's/restartPolicy: Always/restartPolicy: Never/')
  assert.notEqual(refused.code, 0)
  // kubectl opens the editor again with the refusal as comments, and keeps that file when nothing more is changed.
  const kept = /stored to "([^"]+)"/.exec(refused.stderr)![1]!
  assert.match(
    readFileSync(kept, 'utf8').replaceAll('\n# ', ' '),
    /spec: Forbidden: pod updates may not change fields other than `spec\.containers\[\*\]\.image`,`spec\.initContainers\[\*\]\.image`,`spec\.activeDeadlineSeconds`,`spec\.tolerations` \(only additions to existing tolerations\)/,
  )
  await cluster.kubectl('delete pod edited --now')
})

test('delete honours the grace period, shows Terminating, and kills what does not listen', async () => {
  const stubborn = `
apiVersion: v1
kind: Pod
metadata: {name: stubborn}
spec:
  terminationGracePeriodSeconds: 4
  containers:
  - name: app
    image: busybox:1.30
    command: [sh, -c, "trap '' TERM; while true; do sleep 1; done"]
`
  await cluster.kubectl('create -f -', { input: stubborn })
  await isRunning('stubborn')
  const startedAt = performance.now()
  const deleting = cluster.kubectl('delete pod stubborn')
  await eventually('Terminating', async () => / Terminating /.test(await cluster.kubectl('get pod stubborn')))
  await deleting
  const tookMs = performance.now() - startedAt
  assert.ok(tookMs > 3_500 && tookMs < 12_000, `deleted after ${tookMs} ms`)
})

test('delete --force --grace-period=0 takes the object away at once', async () => {
  await cluster.kubectl('create -f -', { input: counter('forced') })
  await isRunning('forced')
  const output = await cluster.kubectl('delete pod forced --force --grace-period=0')
  assert.match(output, /pod "forced" force deleted/)
  const { stderr } = await cluster.tryKubectl(['get', 'pod', 'forced'])
  assert.equal(stderr, 'Error from server (NotFound): pods "forced" not found\n')
})

test('a Pod that is wrong is refused with the words of Kubernetes', async () => {
  const { code, stderr } = await cluster.tryKubectl(['create', '-f', '-'], {
    input: counter('Bad_Name', 'restartPolicy: Sometimes'),
  })
  assert.equal(code, 1)
  assert.match(stderr, /The Pod "Bad_Name" is invalid/)
  assert.match(
    stderr,
    /metadata\.name: Invalid value: "Bad_Name": a lowercase RFC 1123 subdomain must consist of/,
  )
  assert.match(
    stderr,
    /spec\.restartPolicy: Unsupported value: "Sometimes": supported values: "Always", "OnFailure", "Never"/,
  )
  const unknown = await cluster.tryKubectl(['create', '-f', '-'], { input: counter('odd', 'colour: blue') })
  assert.match(unknown.stderr, /strict decoding error: unknown field "spec\.colour"/)
})

test('explain, api-resources, version and a Pod that fits nowhere', async () => {
  assert.match(await cluster.kubectl('explain pod.spec.initContainers'), /initContainers/)
  assert.match(await cluster.kubectl('api-resources'), /^pods +po +v1 +true +Pod$/m)
  assert.match(await cluster.kubectl('version'), /Server Version: v1\.36/)
  await cluster.kubectl('create -f -', {
    input: counter('huge').replace(
      'name: count\n',
      'name: count\n    resources: {requests: {cpu: "1000"}}\n',
    ),
  })
  await eventually('FailedScheduling', async () =>
    (await cluster.kubectl('get events')).includes('0/1 nodes are available: 1 Insufficient cpu.'),
  )
  await cluster.kubectl('delete pod huge')
})
