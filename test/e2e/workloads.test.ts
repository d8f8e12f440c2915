// Workloads with real containers: a rolling update that nobody notices, Pods that keep their data, daemons.
import assert from 'node:assert/strict'
import { request } from 'node:http'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ReplicaSet } from '../../src/api/types/apps-v1.ts'
import type { PersistentVolumeClaim, Pod } from '../../src/api/types/core-v1.ts'
import { eventually, TestCluster } from './test-cluster.ts'

let cluster: TestCluster

before(async () => {
  cluster = await TestCluster.up()
})

after(async () => {
  await cluster?.[Symbol.asyncDispose]()
})

const apply = (object: object) => cluster.kubectl(['apply', '-f', '-'], { input: JSON.stringify(object) })
const podsOf = async (app: string) => (await cluster.json<{ items: Pod[] }>(`get pods -l app=${app}`)).items
const names = (pods: readonly Pod[]) => pods.map(({ metadata }) => metadata.name).sort()

function workload(kind: string, name: string, container: object, more: { spec?: object; pod?: object } = {}) {
  const labels = { app: name }
  return {
    apiVersion: 'apps/v1',
    kind,
    metadata: { name },
    spec: {
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: {
          terminationGracePeriodSeconds: 5,
          containers: [{ name: 'c', imagePullPolicy: 'IfNotPresent', ...container }],
          ...more.pod,
        },
      },
      ...more.spec,
    },
  }
}

/** One GET over a connection of its own; its failure as text. */
function get(host: string): Promise<string> {
  return new Promise(resolve => {
    const asked = request({ host, path: '/', agent: false, timeout: 5_000 }, response => {
      response.resume().once('end', () => resolve(String(response.statusCode)))
    })
    asked.once('timeout', () => asked.destroy(new Error('timed out')))
    asked.once('error', error => resolve(error.message))
    asked.end()
  })
}

async function askUntil(host: string, signal: AbortSignal): Promise<Record<string, number>> {
  const answers: Record<string, number> = {}
  while (!signal.aborted) {
    const answer = await get(host)
    answers[answer] = (answers[answer] ?? 0) + 1
    await sleep(5)
  }
  return answers
}

test('a Deployment rolls forward and back, and no request through its Service fails', async () => {
  const container = {
    image: 'nginx:1.25',
    readinessProbe: { httpGet: { path: '/', port: 80 }, periodSeconds: 1 },
    lifecycle: { preStop: { sleep: { seconds: 1 } } },
  }
  await apply(workload('Deployment', 'front', container, { spec: { replicas: 3 } }))
  await cluster.kubectl('rollout status deployment/front --timeout=30s')
  await cluster.kubectl('expose deployment front --port=80')
  const ip = await cluster.kubectl('get service front -o jsonpath={.spec.clusterIP}')
  await eventually('an answer through the Service', async () => (await get(ip)) === '200')
  const stop = new AbortController()
  const asked = Promise.all([askUntil(ip, stop.signal), askUntil(ip, stop.signal)])
  const before = names(await podsOf('front'))
  await cluster.kubectl('set image deployment/front c=nginx:1.27')
  await cluster.kubectl('rollout status deployment/front --timeout=60s')
  await cluster.kubectl('rollout undo deployment/front')
  await cluster.kubectl('rollout status deployment/front --timeout=60s')
  stop.abort()
  for (const answers of await asked) {
    assert.deepEqual(Object.keys(answers), ['200'])
    assert.ok(answers['200']! > 100, `only ${answers['200']} requests were made`)
  }
  const { items } = await cluster.json<{ items: ReplicaSet[] }>('get replicasets -l app=front')
  const revisions = items.map(({ metadata, spec }) => [
    metadata.annotations!['deployment.kubernetes.io/revision'],
    spec.replicas,
  ])
  assert.deepEqual(revisions.sort(), [
    ['2', 0],
    ['3', 3],
  ])
  const standing = (await podsOf('front')).filter(({ metadata }) => !metadata.deletionTimestamp)
  assert.equal(standing.length, 3)
  assert.ok(standing.every(({ metadata }) => !before.includes(metadata.name)))
  assert.match(standing[0]!.metadata.name, /^front-[bcdfghjklmnpqrstvwxz2456789]{8,10}-[a-z0-9]{5}$/)
})

test('a Deployment that cannot get on says so when its time is over, and gets on when it can', async () => {
  const container = { image: 'busybox:1.30', command: ['sleep', '3600'] }
  const spec = { replicas: 1, progressDeadlineSeconds: 2 }
  const pod = { terminationGracePeriodSeconds: 0 }
  await apply(
    workload('Deployment', 'stuck', { ...container, image: 'missing.invalid/none:1' }, { spec, pod }),
  )
  const status = await cluster.tryKubectl(['rollout', 'status', 'deployment/stuck', '--timeout=20s'])
  assert.equal(status.code, 1)
  assert.match(status.stderr, /error: deployment "stuck" exceeded its progress deadline/)
  await apply(workload('Deployment', 'stuck', container, { spec, pod }))
  await cluster.kubectl('rollout status deployment/stuck --timeout=20s')
  await cluster.kubectl('delete deployment stuck')
})

test('Pods of a StatefulSet start in order, keep their data, and give it up when scaled away', async () => {
  const container = {
    image: 'busybox:1.30',
    command: ['sh', '-c', 'hostname >> /data/log; trap "exit 0" TERM; while true; do sleep 0.1; done'],
    volumeMounts: [{ name: 'data', mountPath: '/data' }],
    securityContext: { runAsUser: 1000 },
  }
  const volumeClaimTemplates = [
    {
      metadata: { name: 'data' },
      spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
    },
  ]
  const persistentVolumeClaimRetentionPolicy = { whenScaled: 'Delete', whenDeleted: 'Retain' }
  const spec = { replicas: 2, serviceName: 'db', volumeClaimTemplates, persistentVolumeClaimRetentionPolicy }
  await apply(workload('StatefulSet', 'db', container, { spec, pod: { securityContext: { fsGroup: 2000 } } }))
  await cluster.kubectl('rollout status statefulset/db --timeout=30s')
  const [first, second] = await podsOf('db')
  assert.deepEqual([first!.metadata.name, second!.metadata.name], ['db-0', 'db-1'])
  const readyAt = first!.status.conditions!.find(({ type }) => type === 'Ready')!.lastTransitionTime!
  assert.ok(readyAt <= second!.metadata.creationTimestamp!)
  await cluster.kubectl('delete pod db-0')
  await cluster.kubectl('rollout status statefulset/db --timeout=30s')
  const [again] = await podsOf('db')
  assert.notEqual(again!.metadata.uid, first!.metadata.uid)
  await eventually('both starts of db-0 in its log', async () => {
    const log = await cluster.kubectl('exec db-0 -- cat /data/log')
    return log === 'db-0\ndb-0\n'
  })
  await cluster.kubectl('scale statefulset db --replicas=1')
  const claims = async () =>
    (await cluster.json<{ items: PersistentVolumeClaim[] }>('get pvc')).items.map(
      ({ metadata }) => metadata.name,
    )
  await eventually('only the claim that is wanted', async () => (await claims()).join() === 'data-db-0')
  await cluster.kubectl('delete statefulset db')
  await eventually('no Pod of it', async () => (await podsOf('db')).length === 0)
  assert.deepEqual(await claims(), ['data-db-0'])
  await cluster.kubectl('delete pvc data-db-0')
  await eventually('no volume', async () => (await cluster.kubectl('get pv -o name')) === '')
})

test('a DaemonSet runs on the node, stays while that is cordoned, and rolls with surge', async () => {
  const container = { image: 'busybox:1.30', command: ['sleep', '3600'] }
  const updateStrategy = { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } }
  const pod = { terminationGracePeriodSeconds: 0 }
  await cluster.kubectl(['cordon', await nodeName()])
  await apply(workload('DaemonSet', 'agent', container, { spec: { updateStrategy }, pod }))
  await cluster.kubectl('rollout status daemonset/agent --timeout=20s')
  const [old] = await podsOf('agent')
  await cluster.kubectl('set env daemonset/agent A=1')
  await cluster.kubectl('rollout status daemonset/agent --timeout=20s')
  await cluster.kubectl(['uncordon', await nodeName()])
  const [current, ...others] = await eventually('only the new Pod', async () => {
    const pods = await podsOf('agent')
    return pods.length === 1 && pods
  })
  assert.deepEqual(others, [])
  assert.notEqual(current!.metadata.uid, old!.metadata.uid)
  await cluster.kubectl('rollout undo daemonset/agent')
  await cluster.kubectl('rollout status daemonset/agent --timeout=20s')
  const history = await cluster.kubectl('rollout history daemonset/agent')
  assert.match(history, /REVISION {2}CHANGE-CAUSE\n2 +<none>\n3 +<none>/)
})

const nodeName = () => cluster.kubectl('get nodes -o jsonpath={.items[0].metadata.name}')
