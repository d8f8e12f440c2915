// Jobs, CronJobs, drains, taints, quotas and clean-up with real containers and kubectl.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { CronJob, Job } from '../../src/api/types/batch-v1.ts'
import type { Node, Pod, ResourceQuota } from '../../src/api/types/core-v1.ts'
import { eventually, TestCluster } from './test-cluster.ts'

let cluster: TestCluster

before(async () => {
  cluster = await TestCluster.up()
})

after(async () => {
  await cluster?.[Symbol.asyncDispose]()
})

const jobYaml = (name: string, spec: string, script: string, restartPolicy = 'Never') => `
apiVersion: batch/v1
kind: Job
metadata: {name: ${name}}
spec:
  ${spec.split('\n').join('\n  ')}
  template:
    spec:
      restartPolicy: ${restartPolicy}
      terminationGracePeriodSeconds: 1
      containers:
      - name: main
        image: busybox:1.30
        command: [sh, -c, ${JSON.stringify(script)}]
`

const apply = (input: string) => cluster.kubectl('apply -f -', { input })
const job = (name: string) => cluster.json<Job>(`get job ${name}`)
const podsOf = async (name: string) =>
  (await cluster.json<{ items: Pod[] }>(`get pods -l job-name=${name}`)).items
const finished = (name: string, condition: 'complete' | 'failed' = 'complete') =>
  cluster.kubectl(`wait --for=condition=${condition} job/${name} --timeout=30s`)

test('kubectl 1.20 and 1.36 create Jobs, and one from a CronJob', async () => {
  for (const version of ['1.20', '1.36'] as const) {
    const name = `hello-${version.replace('.', '-')}`
    await cluster.kubectl(['create', 'job', name, '--image=busybox:1.30', '--', 'echo', 'hi'], { version })
    await finished(name)
    assert.equal(await cluster.kubectl(`logs job/${name}`, { version }), 'hi\n')
    assert.match(await cluster.kubectl(`get job ${name}`, { version }), /1\/1/)
  }
  await cluster.kubectl([
    'create',
    'cronjob',
    'tick',
    '--image=busybox:1.30',
    '--schedule=* * * * *',
    '--',
    'date',
  ])
  await cluster.kubectl('create job now --from=cronjob/tick')
  await finished('now')
  const { metadata } = await job('now')
  assert.equal(metadata.annotations?.['cronjob.kubernetes.io/instantiate'], 'manual')
  assert.equal(metadata.ownerReferences?.[0]?.kind, 'CronJob')
})

test('an Indexed Job tells each container its index and host name', async () => {
  const spec = 'completions: 3\nparallelism: 3\ncompletionMode: Indexed'
  await apply(jobYaml('indexed', spec, 'echo $JOB_COMPLETION_INDEX $(hostname)'))
  await finished('indexed')
  const logs = await cluster.kubectl('logs -l job-name=indexed')
  assert.deepEqual(logs.trim().split('\n').sort(), ['0 indexed-0', '1 indexed-1', '2 indexed-2'])
  const { status } = await job('indexed')
  assert.deepEqual([status.completedIndexes, status.succeeded], ['0-2', 3])
})

test('exit codes decide: a policy fails the Job, a limit per index fails an index', async () => {
  const policy = `backoffLimit: 6
podFailurePolicy:
  rules:
  - action: FailJob
    onExitCodes: {containerName: main, operator: In, values: [42]}`
  await apply(jobYaml('policy', policy, 'exit 42'))
  const perIndex = 'completions: 2\nparallelism: 2\ncompletionMode: Indexed\nbackoffLimitPerIndex: 0'
  await apply(jobYaml('per-index', perIndex, 'exit $JOB_COMPLETION_INDEX'))
  await finished('policy', 'failed')
  const failed = (await job('policy')).status.conditions?.find(({ type }) => type === 'Failed')
  assert.equal(failed?.reason, 'PodFailurePolicy')
  assert.match(
    failed?.message ?? '',
    /^Container main for pod default\/policy-\w+ failed with exit code 42 matching FailJob rule at index 0$/,
  )
  await finished('per-index', 'failed')
  const { status } = await job('per-index')
  assert.deepEqual([status.completedIndexes, status.failedIndexes], ['0', '1'])
})

test('a Job that is suspended loses its Pods, resumed it runs; finished it goes after its time', async () => {
  // Times are told in whole seconds: with one second it could be gone before anybody has seen it finished.
  await apply(jobYaml('pausing', 'suspend: true\nttlSecondsAfterFinished: 3', 'echo done'))
  await eventually('told suspended', async () =>
    (await job('pausing')).status.conditions?.some(
      ({ type, status }) => type === 'Suspended' && status === 'True',
    ),
  )
  assert.equal((await podsOf('pausing')).length, 0)
  await cluster.kubectl(['patch', 'job', 'pausing', '-p', '{"spec":{"suspend":false}}'])
  await finished('pausing')
  await eventually('gone with its Pods', async () => {
    const { code } = await cluster.tryKubectl(['get', 'job', 'pausing'])
    return code !== 0 && (await podsOf('pausing')).length === 0
  })
})

test('a Job is deleted with its Pods, or leaves them behind', async () => {
  const script = "trap 'exit 0' TERM; sleep 300 & wait"
  const remove = async (cascade: string) => {
    const name = `going-${cascade}`
    await apply(jobYaml(name, 'parallelism: 2\ncompletions: 2', script))
    await eventually('running', async () => (await job(name)).status.ready === 2)
    await cluster.kubectl(`delete job ${name} --cascade=${cascade}`)
    if (cascade === 'orphan') {
      const left = await podsOf(name)
      assert.deepEqual(
        left.map(({ metadata }) => metadata.ownerReferences),
        [undefined, undefined],
      )
      await cluster.kubectl(`delete pods -l job-name=${name} --now`)
    }
    await eventually(`Pods of ${name} gone`, async () => (await podsOf(name)).length === 0)
  }
  await Promise.all(['background', 'foreground', 'orphan'].map(remove))
})

test('a drain respects the budget, and a cordon is a taint', async () => {
  await cluster.kubectl('create deployment web --image=nginx --replicas=2')
  await cluster.kubectl('create pdb web --selector=app=web --min-available=1')
  await cluster.kubectl('rollout status deployment/web --timeout=30s')
  await eventually('one may go', async () =>
    (await cluster.kubectl('get pdb web')).match(/web\s+1\s+N\/A\s+1\s/),
  )
  const [node] = (await cluster.json<{ items: Node[] }>('get nodes')).items
  const { name } = node!.metadata
  const drain = await cluster.tryKubectl([
    ...['drain', name, '--force', '--ignore-daemonsets', '--delete-emptydir-data', '--timeout=3s'],
    '--pod-selector=app=web',
  ])
  assert.equal(drain.code, 1)
  assert.match(drain.stderr, /Cannot evict pod as it would violate the pod's disruption budget\./)
  const cordoned = await cluster.json<Node>(`get node ${name}`)
  assert.ok(cordoned.spec.taints?.some(({ key }) => key === 'node.kubernetes.io/unschedulable'))
  const { items } = await cluster.json<{ items: Pod[] }>('get pods -l app=web')
  assert.equal(items.filter(({ spec }) => spec.nodeName).length, 1, 'the budget kept one')
  await cluster.kubectl(`uncordon ${name}`)
  await cluster.kubectl('rollout status deployment/web --timeout=30s')
  await cluster.kubectl('delete deployment,pdb web')
})

test('a NoExecute taint evicts who does not tolerate it, and for how long', async () => {
  const [node] = (await cluster.json<{ items: Node[] }>('get nodes')).items
  const { name } = node!.metadata
  const pod = (podName: string, tolerations: string) => `
apiVersion: v1
kind: Pod
metadata: {name: ${podName}, labels: {taint: e2e}}
spec:
  terminationGracePeriodSeconds: 1
  tolerations: ${tolerations}
  containers: [{name: main, image: "busybox:1.30", command: [sleep, "300"]}]
---`
  const tolerate = (seconds: string) => `[{key: e2e, operator: Exists, effect: NoExecute${seconds}}]`
  await apply(
    pod('plain', '[]') + pod('patient', tolerate(', tolerationSeconds: 3')) + pod('stoic', tolerate('')),
  )
  await cluster.kubectl('wait --for=condition=Ready pod -l taint=e2e --timeout=30s')
  await cluster.kubectl(`taint node ${name} e2e=yes:NoExecute`)
  await cluster.kubectl('wait --for=delete pod/plain --timeout=20s')
  assert.equal((await cluster.tryKubectl(['get', 'pod', 'patient'])).code, 0)
  await cluster.kubectl('wait --for=delete pod/patient --timeout=20s')
  assert.equal((await cluster.json<Pod>('get pod stoic')).status.phase, 'Running')
  assert.match(
    await cluster.kubectl('get events'),
    /TaintManagerEviction\s+pod\/plain\s+Marking for deletion Pod default\/plain/,
  )
  await cluster.kubectl(`taint node ${name} e2e-`)
  await cluster.kubectl('delete pod stoic --now')
})

test('a quota counts what comes and what goes, and keeps out the rest', async () => {
  await cluster.kubectl('create namespace limited')
  await cluster.kubectl('create quota q --hard=pods=1,configmaps=3,count/jobs.batch=1 -n limited')
  const used = async () => (await cluster.json<ResourceQuota>('get quota q -n limited')).status.used
  await eventually('the root certificate is counted', async () => (await used())?.configmaps === '1')
  const run = (name: string) => ['run', name, '--image=busybox:1.30', '-n', 'limited', '--', 'sleep', '300']
  await cluster.kubectl(run('one'))
  assert.deepEqual(await used(), { configmaps: '1', 'count/jobs.batch': '0', pods: '1' })
  const refused = await cluster.tryKubectl(run('two'))
  assert.match(
    refused.stderr,
    /pods "two" is forbidden: exceeded quota: q, requested: pods=1, used: pods=1, limited: pods=1/,
  )
  await cluster.kubectl('delete pod one -n limited --now')
  await eventually('given back', async () => (await used())?.pods === '0')
  await cluster.kubectl('delete namespace limited')
})

test('a CronJob starts at the minute and tells when', async () => {
  const started = await eventually(
    'the first moment',
    async () => {
      const { status } = await cluster.json<CronJob>('get cronjob tick')
      // Jobs made by hand from the CronJob succeed before its first own one.
      return status.lastScheduleTime && status.lastSuccessfulTime ? status : undefined
    },
    65_000,
  )
  const minute = Date.parse(started.lastScheduleTime!) / 60_000
  assert.ok(Number.isInteger(minute))
  await finished(`tick-${minute}`)
  assert.match(
    await cluster.kubectl('describe cronjob tick'),
    /SawCompletedJob\s.*Saw completed job: tick-\d+, condition: Complete/,
  )
})
