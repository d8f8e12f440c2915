// The API server as a way to pods, services and nodes: the proxy subresources, kubectl proxy, port-forward to a service.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { after, before, test } from 'node:test'
import { converse, SCREEN, WEB } from './streaming.fixture.ts'
import { eventually, kubectlBinary, TestCluster } from './test-cluster.ts'

let cluster: TestCluster

const SERVICE = `
apiVersion: v1
kind: Service
metadata: {name: web}
spec:
  selector: {app: web}
  ports: [{port: 8080, targetPort: http, name: main}]
`

before(async () => {
  cluster = await TestCluster.up()
  await cluster.kubectl('apply -f -', { input: [WEB, SCREEN, SERVICE].join('---') })
  await cluster.kubectl('wait --for=condition=Ready pod/web pod/screen --timeout=30s')
})

after(() => cluster?.[Symbol.asyncDispose]())

const environment = () => ({ ...process.env, KUBECONFIG: cluster.kubeconfig, HOME: cluster.dataDir })

test('the proxy subresources: a pod, a service by its port, the kubelet of the node', async () => {
  const raw = (path: string) => cluster.tryKubectl(['get', '--raw', `/api/v1/${path}`])
  const [node] = (await cluster.kubectl('get nodes -o name')).trim().split('/').slice(1)
  await eventually('endpoints', async () => /:80/.test(await cluster.kubectl('get endpoints web')))
  for (const target of ['pods/web', 'pods/http:web:80', 'services/web:main', 'services/web:8080']) {
    const { stdout } = await raw(`namespaces/default/${target}/proxy/`)
    assert.match(stdout, /Welcome to nginx!/, target)
  }
  const cases: [string, RegExp][] = [
    [
      'namespaces/default/pods/web:81/proxy/',
      /error trying to reach service: dial tcp [\d.]+:81: connect: connection refused/,
    ],
    ['namespaces/default/services/web:9/proxy/', /no service port 9 found for service "web"/],
    ['namespaces/default/services/web/proxy/', /no endpoints available for service "web"/],
    [`nodes/${node}/proxy/nonsense`, /NotFound/],
  ]
  for (const [path, words] of cases) assert.match((await raw(path)).stderr, words)
  assert.equal((await raw(`nodes/${node}/proxy/healthz`)).stdout, 'ok')
  assert.match((await raw(`nodes/${node}/proxy/runningpods/`)).stdout, /"name":"screen"/)
  const run = ['create', '--raw', `/api/v1/nodes/${node}/proxy/run/default/web/box?cmd=id`, '-f', '-']
  assert.match((await cluster.tryKubectl(run, { input: '' })).stdout, /^uid=0/)
})

test('kubectl proxy and port-forward to a service', async () => {
  const proxy = converse(spawn(kubectlBinary(), ['proxy', '--port=0'], { env: environment() }))
  const [, address] = await eventually('the proxy', () => /(127\.0\.0\.1:\d+)/.exec(proxy.said()))
  const answer = await fetch(`http://${address}/api/v1/namespaces/default/pods/web/proxy`, {
    redirect: 'manual',
  })
  assert.equal(answer.status, 301)
  assert.equal(answer.headers.get('location'), '/api/v1/namespaces/default/pods/web/proxy/')
  proxy.child.kill()
  const forward = converse(
    spawn(kubectlBinary(), ['port-forward', 'svc/web', ':8080'], { env: environment() }),
  )
  const [, port] = await eventually('the port', () => /127\.0\.0\.1:(\d+) -> 80/.exec(forward.said()))
  assert.match(await (await fetch(`http://127.0.0.1:${port}/`)).text(), /Welcome to nginx!/)
  forward.child.kill()
  await Promise.all([proxy.ended, forward.ended])
})
