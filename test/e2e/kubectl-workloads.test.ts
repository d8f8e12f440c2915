// The commands of kubectl about workloads, said by an old and by a new kubectl.
import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { Deployment } from '../../src/api/types/apps-v1.ts'
import type { Node, Pod } from '../../src/api/types/core-v1.ts'
import { eventually, type KubectlVersion, type Output, TestCluster } from './test-cluster.ts'

const VERSIONS: KubectlVersion[] = ['1.20', '1.36']

let cluster: TestCluster

before(async () => {
  cluster = await TestCluster.up()
})

after(async () => {
  await cluster?.[Symbol.asyncDispose]()
})

interface Speaker {
  version: KubectlVersion
  namespace: string
  /** Runs kubectl of that version in the namespace; fails when it does. */
  say(args: string | readonly string[], input?: string): Promise<string>
  /** As say, and answers whatever it did. */
  attempt(args: string): Promise<Output>
}

let spaces = 0

function speaker(version: KubectlVersion): Speaker {
  const namespace = `space-${++spaces}`
  const inside = (args: string | readonly string[]) => [
    '-n',
    namespace,
    ...(typeof args === 'string' ? args.split(' ') : args),
  ]
  return {
    version,
    namespace,
    say: (args, input) => cluster.kubectl(inside(args), { version, ...(input && { input }) }),
    attempt: args => cluster.tryKubectl(inside(args), { version }),
  }
}

/** Each in a namespace of its own. */
async function eachVersion(act: (speaker: Speaker) => Promise<void>): Promise<void> {
  for (const version of VERSIONS) {
    const one = speaker(version)
    await cluster.kubectl(['create', 'namespace', one.namespace], { version })
    await act(one)
    await cluster.kubectl(['delete', 'namespace', one.namespace, '--wait=false'], { version })
  }
}

/** Two Pods that do nothing, and end at once. */
async function createWeb({ say }: Speaker): Promise<void> {
  const command = 'create deployment web --image=busybox:1.30 --replicas=2 --dry-run=client -o json'
  const draft = JSON.parse(await say(`${command} -- sleep 3600`)) as Deployment
  draft.spec.template.spec.terminationGracePeriodSeconds = 0
  assert.equal(await say('create -f -', JSON.stringify(draft)), 'deployment.apps/web created\n')
  await say('rollout status deployment/web --timeout=30s')
}

test('rollouts: status, history, undo, pause, resume, restart', async () => {
  await eachVersion(async speaker => {
    const { say } = speaker
    await createWeb(speaker)
    assert.equal(await say('set env deployment/web A=1'), 'deployment.apps/web env updated\n')
    assert.match(await say('rollout status deployment/web --timeout=30s'), /successfully rolled out\n$/)
    await say(['annotate', 'deployment/web', 'kubernetes.io/change-cause=A is set'])
    const history = await eventually('the cause in the history', async () => {
      const text = await say('rollout history deployment/web')
      return text.includes('A is set') && text
    })
    assert.match(history, /^deployment.apps\/web \nREVISION {2}CHANGE-CAUSE\n1 +<none>\n2 +A is set\n/)
    assert.match(await say('rollout history deployment/web --revision=2'), /Environment:\n\s+A:\t1\n/)
    assert.equal(await say('rollout pause deployment/web'), 'deployment.apps/web paused\n')
    await say('set env deployment/web A=2')
    assert.equal(await say('rollout resume deployment/web'), 'deployment.apps/web resumed\n')
    await say('rollout status deployment/web --timeout=30s')
    assert.match(await say('rollout undo deployment/web --to-revision=2'), /deployment.apps\/web rolled back/)
    await say('rollout status deployment/web --timeout=30s')
    const env = '-o jsonpath={.spec.template.spec.containers[0].env[0].value}'
    assert.equal(await say(`get deployment web ${env}`), '1')
    assert.equal(await say('rollout restart deployment/web'), 'deployment.apps/web restarted\n')
    assert.match(await say('rollout status deployment/web --timeout=30s'), /successfully rolled out\n$/)
    const described = await say('describe deployment web')
    assert.match(described, /Progressing +True +NewReplicaSetAvailable/)
    assert.match(described, /NewReplicaSet: +web-[a-z0-9]+ \(2\/2 replicas created\)/)
    assert.match(described, /Scaled up replica set web-[a-z0-9]+ from 0 to 2/)
  })
})

test('scale, set, expose, autoscale, wait, label, annotate', async () => {
  await eachVersion(async speaker => {
    const { say, attempt } = speaker
    await createWeb(speaker)
    assert.equal(await say('scale deployment/web --replicas=3'), 'deployment.apps/web scaled\n')
    const wrong = await attempt('scale deployment/web --current-replicas=9 --replicas=1')
    assert.match(wrong.stderr, /Expected replicas to be 9, was 3/)
    await say('set image deployment/web busybox=busybox:1.36')
    await say('set resources deployment/web --limits=memory=64Mi')
    await say('set serviceaccount deployment/web default')
    await say('rollout status deployment/web --timeout=30s')
    const { spec } = JSON.parse(await say('get deployment web -o json')) as Deployment
    assert.equal(spec.template.spec.containers[0]!.image, 'busybox:1.36')
    assert.deepEqual(spec.template.spec.containers[0]!.resources, { limits: { memory: '64Mi' } })
    assert.equal(spec.template.spec.serviceAccountName, 'default')
    assert.equal(await say('expose deployment/web --port=80'), 'service/web exposed\n')
    assert.equal(await say('set selector service web app=other'), 'service/web selector updated\n')
    assert.match(
      await say('autoscale deployment/web --min=1 --max=5 --cpu-percent=50'),
      /horizontalpodautoscaler.autoscaling\/web autoscaled/,
    )
    assert.match(await say('get hpa web'), /Deployment\/web +\S+ ?<unknown>\/50% +1 +5/)
    assert.equal(
      await say('wait --for=condition=available deployment/web --timeout=20s'),
      'deployment.apps/web condition met\n',
    )
    assert.equal(await say('label deployment/web tier=front'), 'deployment.apps/web labeled\n')
    assert.equal(await say('annotate deployment/web note=yes'), 'deployment.apps/web annotated\n')
    assert.match(
      await say('get deployment web --show-labels'),
      /^NAME +READY +UP-TO-DATE +AVAILABLE +AGE +LABELS\nweb +3\/3 +3 +3 +\S+ +app=web,tier=front\n$/,
    )
    assert.match(
      await say('get replicasets -l app=web -o wide'),
      /^NAME +DESIRED +CURRENT +READY +AGE +CONTAINERS +IMAGES +SELECTOR\nweb-/,
    )
  })
})

test('delete lets dependents go first, later, or stay', async () => {
  await eachVersion(async speaker => {
    const { say, version, namespace } = speaker
    const left = async (what: string) => (await say(`get ${what} -l app=web -o name`)).trim()
    await createWeb(speaker)
    // New ones say where.
    const from = version === '1.36' ? ` from ${namespace} namespace` : ''
    const orphan = version === '1.20' ? '--cascade=false' : '--cascade=orphan'
    const gone = await say(`delete deployment web ${orphan}`)
    assert.equal(gone, `deployment.apps "web" deleted${from}\n`)
    assert.match(await left('replicasets'), /^replicaset.apps\/web-/)
    await createWeb(speaker)
    await say('delete deployment web --cascade=foreground')
    assert.deepEqual([await left('replicasets'), await left('pods')], ['', ''])
    await createWeb(speaker)
    await say('delete deployment web')
    await eventually('no Pods', async () => (await left('pods')) === '')
  })
})

test('apply -k and diff', async () => {
  const folder = join(cluster.dataDir, 'kustomize')
  mkdirSync(folder, { recursive: true })
  const map = (value: string) => `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {a: ${value}}\n`
  writeFileSync(join(folder, 'kustomization.yaml'), 'resources: [map.yaml]\nnamePrefix: k-\n')
  writeFileSync(join(folder, 'map.yaml'), map('b'))
  await eachVersion(async speaker => {
    const { say, attempt } = speaker
    assert.equal(await say(`apply -k ${folder}`), 'configmap/k-c created\n')
    assert.equal(await say(`apply -k ${folder}`), 'configmap/k-c unchanged\n')
    assert.equal(await say(`diff -k ${folder}`), '')
    writeFileSync(join(folder, 'map.yaml'), map('changed'))
    const { code, stdout } = await attempt(`diff -k ${folder}`)
    assert.equal(code, 1)
    assert.match(stdout, /^- {2}a: b$/m)
    assert.match(stdout, /^\+ {2}a: changed$/m)
    writeFileSync(join(folder, 'map.yaml'), map('b'))
  })
})

test('cordon, drain, uncordon and taint a node', async () => {
  const [node] = (await cluster.json<{ items: Node[] }>('get nodes')).items
  const name = node!.metadata.name
  await eachVersion(async speaker => {
    const { say, version } = speaker
    await createWeb(speaker)
    assert.equal(await say(['cordon', name]), `node/${name} cordoned\n`)
    assert.match(await say('get nodes'), /Ready,SchedulingDisabled/)
    const before = JSON.parse(await say('get pods -o json')) as { items: Pod[] }
    const selector = version === '1.20' ? [] : ['--pod-selector=app=web']
    await say(['drain', name, '--ignore-daemonsets', '--force', '--timeout=30s', ...selector])
    const now = JSON.parse(await say('get pods -o json')) as { items: Pod[] }
    for (const { metadata } of before.items)
      assert.ok(now.items.every(pod => pod.metadata.uid !== metadata.uid))
    assert.ok(now.items.every(({ spec }) => !spec.nodeName))
    assert.equal(await say(['uncordon', name]), `node/${name} uncordoned\n`)
    await say('rollout status deployment/web --timeout=30s')
    assert.equal(await say(['taint', 'nodes', name, 'a=b:NoSchedule']), `node/${name} tainted\n`)
    assert.equal(await say(['taint', 'nodes', name, 'a-']), `node/${name} untainted\n`)
  })
})

const CREATED: [args: string, made: string][] = [
  ['configmap c --from-literal=a=b', 'configmap/c'],
  ['secret generic s --from-literal=a=b', 'secret/s'],
  ['secret docker-registry d --docker-username=u --docker-password=p', 'secret/d'],
  ['service clusterip ci --tcp=80:80', 'service/ci'],
  ['service nodeport np --tcp=80:80', 'service/np'],
  ['service loadbalancer lb --tcp=80:80', 'service/lb'],
  ['service externalname en --external-name=example.com', 'service/en'],
  ['serviceaccount sa', 'serviceaccount/sa'],
  ['role r --verb=get --resource=pods', 'role.rbac.authorization.k8s.io/r'],
  ['rolebinding rb --role=r --serviceaccount=default:sa', 'rolebinding.rbac.authorization.k8s.io/rb'],
  ['quota q --hard=pods=50', 'resourcequota/q'],
  ['job j --image=busybox:1.30 -- true', 'job.batch/j'],
  ['ingress i --rule=a.com/=ci:80', 'ingress.networking.k8s.io/i'],
  ['deployment d --image=busybox:1.30 -- sleep 3600', 'deployment.apps/d'],
]

/** Their versions of old are no longer served. */
const CREATED_BY_NEW: [args: string, made: string][] = [
  ['poddisruptionbudget p --selector=app=d --min-available=1', 'poddisruptionbudget.policy/p'],
  ['cronjob cj --image=busybox:1.30 --schedule=@daily -- true', 'cronjob.batch/cj'],
]

test('create makes every kind', async () => {
  await eachVersion(async speaker => {
    const { say, version } = speaker
    const list = version === '1.20' ? CREATED : [...CREATED, ...CREATED_BY_NEW]
    for (const [args, made] of list) assert.equal(await say(`create ${args}`), `${made} created\n`)
    assert.equal(
      await say('wait job/j --for=condition=complete --timeout=30s'),
      'job.batch/j condition met\n',
    )
  })
})
