// Seeds "k8s初始化容器" and "K8S Container解析": nginx serves the page that an init container fetched.
import assert from 'node:assert/strict'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { networkInterfaces } from 'node:os'
import { after, before, test } from 'node:test'
import type { Pod } from '../../../src/api/types/core-v1.ts'
import { eventually, type KubectlVersion, pageAt, TestCluster } from '../test-cluster.ts'

let cluster: TestCluster
let server: Server
let pageUrl: string

before(async () => {
  cluster = await TestCluster.up()
  server = createServer((_, response) =>
    setTimeout(() => response.end('fetched by the init container\n'), 700),
  )
  await new Promise<void>(resolve => server.listen(0, '0.0.0.0', resolve))
  pageUrl = `http://${nodeAddress()}:${(server.address() as AddressInfo).port}`
})

after(async () => {
  server?.close()
  await cluster?.[Symbol.asyncDispose]()
})

function nodeAddress(): string {
  const addresses = Object.values(networkInterfaces()).flatMap(list => list ?? [])
  return addresses.find(({ family, internal }) => family === 'IPv4' && !internal)!.address
}

const initDemo = (name: string) => `
apiVersion: v1
kind: Pod
metadata:
  name: ${name}
spec:
  containers:
  - name: nginx
    image: nginx
    imagePullPolicy: IfNotPresent
    ports:
    - containerPort: 80
    volumeMounts:
    - name: workdir
      mountPath: /usr/share/nginx/html
  # These containers are run during pod initialization
  initContainers:
  - name: install
    image: busybox
    imagePullPolicy: IfNotPresent
    command: ["wget", "-O", "/work-dir/index.html", "${pageUrl}"]
    volumeMounts:
    - name: workdir
      mountPath: "/work-dir"
  dnsPolicy: Default
  volumes:
  - name: workdir
    emptyDir: {}
`

for (const version of ['1.20', '1.32', '1.36'] as KubectlVersion[]) {
  test(`kubectl ${version} sees Pending, Init:0/1, PodInitializing, Running, and nginx serves the fetched page`, async () => {
    const name = `init-demo-${version.replace('.', '-')}`
    const watch = cluster.follow('get pods -w', version)
    const created = await cluster.kubectl(['create', '-f', '-'], { input: initDemo(name), version })
    assert.equal(created.trim(), `pod/${name} created`)
    const statuses = () =>
      watch.lines.filter(line => line.startsWith(`${name} `)).map(line => line.split(/ +/)[2]!)
    await eventually('Running', () => statuses().at(-1) === 'Running')
    watch.stop()
    assert.deepEqual([...new Set(statuses())], ['Pending', 'Init:0/1', 'PodInitializing', 'Running'])

    const wide = (await cluster.kubectl('get pods -o wide', { version })).split('\n')
    assert.match(wide[0]!, /^NAME +READY +STATUS +RESTARTS +AGE +IP +NODE +NOMINATED NODE +READINESS GATES/)
    const row = wide.find(line => line.startsWith(`${name} `))!.split(/ +/)
    assert.deepEqual(row.slice(1, 4), ['1/1', 'Running', '0'])
    const page = await pageAt(`http://${row[5]}/`)
    assert.equal(page, 'fetched by the init container\n')
  })
}

test('describe shows both containers, the conditions and the events in order', async () => {
  const text = await cluster.kubectl('describe pod init-demo-1-36')
  for (const part of [
    /Init Containers:\n {2}install:/,
    /State: +Terminated\n +Reason: +Completed\n +Exit Code: +0/,
    /Containers:\n {2}nginx:/,
    /State: +Running/,
    /Initialized +True/,
    /QoS Class: +BestEffort/,
    /node\.kubernetes\.io\/not-ready:NoExecute op=Exists for 300s/,
    /Successfully assigned default\/init-demo-1-36 to/,
    /Container started/,
  ]) {
    assert.match(text, part)
  }
  const reasons = [...text.slice(text.indexOf('Events:')).matchAll(/^ +(?:Normal|Warning) +(\w+)/gm)].map(
    match => match[1],
  )
  assert.deepEqual(reasons, ['Scheduled', 'Pulled', 'Created', 'Started', 'Pulled', 'Created', 'Started'])
})

test('the conditions read through the jsonpath of the article', async () => {
  const text = await cluster.kubectl([
    'get',
    'pods',
    '-o=jsonpath={"Pod Name, Condition Initialized"}{"\\n"}{range .items[*]}{.metadata.name},{@.status.conditions[?(@.type=="Initialized")].status}{"\\n"}{end}',
  ])
  assert.match(text, /^Pod Name, Condition Initialized\n/)
  assert.match(text, /^init-demo-1-36,True$/m)
})

test('the finished init container is written down completely', async () => {
  const pod = await cluster.json<Pod>('get pod init-demo-1-36')
  const [install] = pod.status.initContainerStatuses!
  assert.equal(install!.ready, true)
  assert.equal(install!.restartCount, 0)
  assert.equal(install!.state?.terminated?.reason, 'Completed')
  assert.match(install!.containerID!, /^[a-z-]+:\/\/[0-9a-f]{64}$/)
  assert.match(install!.imageID, /@?sha256:[0-9a-f]{64}$/)
  assert.equal(pod.status.qosClass, 'BestEffort')
  assert.match(pod.status.podIP!, /^10\./)
})
