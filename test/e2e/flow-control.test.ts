// Priority and fairness with the real server: a level with three seats, one user who floods it and one who does not.
import assert from 'node:assert/strict'
import type { ClientRequest, IncomingMessage } from 'node:http'
import { Agent, type RequestOptions, request } from 'node:https'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { eventually, TestCluster } from './test-cluster.ts'

const MAPS = '/api/v1/namespaces/default/configmaps'
const FEW = `
apiVersion: flowcontrol.apiserver.k8s.io/v1
kind: PriorityLevelConfiguration
metadata: {name: few}
spec:
  type: Limited
  limited:
    nominalConcurrencyShares: 1
    borrowingLimitPercent: 0
    limitResponse:
      type: Queue
      queuing: {queues: 32, handSize: 2, queueLengthLimit: 3}
---
apiVersion: flowcontrol.apiserver.k8s.io/v1
kind: FlowSchema
metadata: {name: few}
spec:
  priorityLevelConfiguration: {name: few}
  matchingPrecedence: 500
  distinguisherMethod: {type: ByUser}
  rules:
  - subjects:
    - {kind: User, user: {name: flood}}
    - {kind: User, user: {name: quiet}}
    resourceRules:
    - {verbs: ['*'], apiGroups: ['*'], resources: ['*'], namespaces: ['*'], clusterScope: true}
    nonResourceRules:
    - {verbs: ['*'], nonResourceURLs: ['*']}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: few}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: edit}
subjects:
- {apiGroup: rbac.authorization.k8s.io, kind: User, name: flood}
- {apiGroup: rbac.authorization.k8s.io, kind: User, name: quiet}
`

interface Answer {
  code: number
  headers: IncomingMessage['headers']
  text: string
  ms: number
}

let cluster: TestCluster
let server: URL
let agent: Agent

before(async () => {
  cluster = await TestCluster.up()
  const { clusters, users } = await cluster.json<{
    clusters: { cluster: Record<string, string> }[]
    users: { user: Record<string, string> }[]
  }>('config view --raw')
  const decoded = (data?: string) => Buffer.from(data ?? '', 'base64')
  server = new URL(clusters[0]!.cluster.server!)
  agent = new Agent({
    keepAlive: true,
    ca: decoded(clusters[0]!.cluster['certificate-authority-data']),
    cert: decoded(users[0]!.user['client-certificate-data']),
    key: decoded(users[0]!.user['client-key-data']),
  })
  await cluster.kubectl('apply -f -', { input: FEW })
  await cluster.kubectl('wait --for=condition=Dangling=false flowschema/few')
})
after(async () => {
  agent.destroy()
  await cluster[Symbol.asyncDispose]()
})

function open(user: string, options: RequestOptions): { sent: ClientRequest; answer: Promise<Answer> } {
  const headers = { 'Impersonate-User': user, 'Content-Type': 'application/json', ...options.headers }
  const start = performance.now()
  const sent = request({ host: server.hostname, port: server.port, agent, ...options, headers })
  const answer = new Promise<Answer>((resolve, reject) => {
    sent.on('error', reject).on('response', async response => {
      let text = ''
      for await (const chunk of response.setEncoding('utf8')) text += chunk
      const ms = performance.now() - start
      resolve({ code: response.statusCode ?? 0, headers: response.headers, text, ms })
    })
  })
  return { sent, answer }
}

function get(user: string, path: string): Promise<Answer> {
  const { sent, answer } = open(user, { path })
  sent.end()
  return answer
}

/** Writes whose body does not come before `release`: each holds a seat that long. */
function hold(user: string, name: string): { answer: Promise<Answer>; release: () => void } {
  const body = JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name } })
  const headers = { 'Content-Length': Buffer.byteLength(body) }
  const { sent, answer } = open(user, { method: 'POST', path: `${MAPS}?dryRun=All`, headers })
  sent.flushHeaders()
  return { answer, release: () => sent.end(body) }
}

const metrics = () => cluster.kubectl('get --raw /metrics')

async function figure(name: string, more = ''): Promise<number> {
  const labels = `priority_level="few",flow_schema="few"${more}`
  const line = (await metrics())
    .split('\n')
    .find(text => text.startsWith(`apiserver_flowcontrol_${name}{${labels}}`))
  return Number(line?.split(' ').at(-1) ?? 0)
}

test('the level has its share of the seats', async () => {
  assert.match(await metrics(), /apiserver_flowcontrol_nominal_limit_seats\{priority_level="few"\} 3\n/)
  assert.match(await metrics(), /apiserver_flowcontrol_current_limit_seats\{priority_level="few"\} 3\n/)
})

test('three run, six wait in the two queues of the user, the others are refused; then kubectl tries again', async () => {
  const held = ['a', 'b', 'c'].map(name => hold('flood', name))
  await eventually('all seats are taken', async () => (await figure('current_executing_requests')) === 3)
  const rest = Array.from({ length: 10 }, () => get('flood', '/version'))
  const answered: Answer[] = []
  for (const one of rest) void one.then(answer => answered.push(answer))
  await eventually('the queues are full', async () => answered.length === 4)
  for (const { code, headers, text } of answered) {
    assert.deepEqual([code, headers['retry-after']], [429, '1'])
    assert.equal(text, 'Too many requests, please try again later.\n')
  }
  assert.equal(await figure('current_inqueue_requests'), 6)
  assert.equal(await figure('rejected_requests_total', ',reason="queue-full"'), 4)
  const table = await cluster.kubectl('get --raw /debug/api_priority_and_fairness/dump_queues')
  const full = table.split('\n').filter(line => /^few, +\d+, +3, /.test(line))
  assert.equal(full.length, 2, table)
  const kubectl = cluster.tryKubectl(['--as', 'flood', 'get', 'configmaps', '-v=6'])
  await eventually(
    'kubectl is refused',
    async () => (await figure('rejected_requests_total', ',reason="queue-full"')) > 4,
  )
  for (const one of held) one.release()
  const { code, stderr } = await kubectl
  assert.equal(code, 0, stderr)
  assert.match(stderr, /429/)
  assert.deepEqual(
    (await Promise.all([...held.map(one => one.answer), ...rest])).map(answer => answer.code).sort(),
    [200, 200, 200, 200, 200, 200, 201, 201, 201, 429, 429, 429, 429],
  )
})

test('while one user floods the level the other is served, and administrators do not notice', async () => {
  let isOver = false
  const codes: number[] = []
  const flood = Array.from({ length: 30 }, async (_, at) => {
    while (!isOver) {
      const { answer, release } = hold('flood', `flood-${at}`)
      await sleep(50)
      release()
      codes.push((await answer.catch(() => ({ code: 0 }))).code)
    }
  })
  await eventually('the flood is refused', () => codes.includes(429))
  const quiet: Answer[] = []
  for (let turn = 0; turn < 10; turn++) quiet.push(await get('quiet', '/version'))
  assert.deepEqual(new Set(quiet.map(({ code }) => code)), new Set([200]))
  const slowest = Math.max(...quiet.map(({ ms }) => ms))
  assert.ok(slowest < 3_000, `${slowest} ms`)
  await cluster.kubectl('get nodes')
  isOver = true
  await Promise.all(flood)
  assert.ok(codes.includes(201))
})

test('when the level is gone the schema dangles, and its requests go to another level', async () => {
  const uid = 'x-kubernetes-pf-flowschema-uid'
  const few = (await get('quiet', '/version')).headers[uid]
  await cluster.kubectl('delete prioritylevelconfiguration few')
  await cluster.kubectl('wait --for=condition=Dangling=true flowschema/few --timeout=10s')
  const { code, headers } = await get('quiet', '/version')
  assert.equal(code, 200)
  const schema = await cluster.json<{ metadata: { uid: string } }>('get flowschema global-default')
  assert.notEqual(headers[uid], few)
  assert.equal(headers[uid], schema.metadata.uid)
})
