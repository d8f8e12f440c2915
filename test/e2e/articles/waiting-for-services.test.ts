// Seed "k8s pod生命周期—Init容器": a Pod whose init containers wait for two Services by their names.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { eventually, TestCluster } from '../test-cluster.ts'

let cluster: TestCluster

before(async () => {
  cluster = await TestCluster.up()
})

after(() => cluster?.[Symbol.asyncDispose]())

const MYAPP = `
apiVersion: v1
kind: Pod
metadata:
  name: myapp-pod
  labels:
    app: myapp
spec:
  containers:
  - name: myapp-container
    image: busybox
    command: ['sh', '-c', 'echo The app is running! && sleep 3600']
  initContainers:
  - name: init-myservice
    image: busybox
    command: ['sh', '-c', 'until nslookup myservice; do echo waiting for myservice; sleep 2;done;']
  - name: init-mydb
    image: busybox
    command: ['sh', '-c', 'until nslookup mydb; do echo waiting for mydb; sleep 2; done; ']
`

const service = (name: string, targetPort: number) => `
kind: Service
apiVersion: v1
metadata:
  name: ${name}
spec:
  ports:
  - protocol: TCP
    port: 80
    targetPort: ${targetPort}
`

const statusIs = (ready: string, status: string) =>
  eventually(`${ready} ${status}`, async () =>
    new RegExp(`^myapp-pod +${ready} +${status} +0 `).test(await cluster.kubectl('get pod --no-headers')),
  )

const clusterIpOf = (name: string) => cluster.kubectl(`get service ${name} -o jsonpath={.spec.clusterIP}`)

test('step 1: the Pod waits in its first init container', async () => {
  assert.equal(await cluster.kubectl('create -f -', { input: MYAPP }), 'pod/myapp-pod created\n')
  await statusIs('0/1', 'Init:0/2')
  // Both asked at one moment: the second and the app wait for their turn.
  const text = await eventually('init-myservice running', async () => {
    const described = await cluster.kubectl('describe pod myapp-pod')
    return /init-myservice:[\s\S]*State: +Running[\s\S]*init-mydb:/.test(described) && described
  })
  for (const part of [
    /^Name: +myapp-pod$/m,
    /^Priority: +0$/m,
    /^Labels: +app=myapp$/m,
    /^Status: +Pending$/m,
    /^IP: +10\.\d+\.\d+\.\d+$/m,
    /init-myservice:\n +Container ID: +\S+:\/\/[0-9a-f]{64}\n +Image: +busybox\n +Image ID: +\S*sha256:[0-9a-f]{64}\n +Port: +<none>\n +Host Port: +<none>/,
    /init-mydb:\n +Container ID: *\n[\s\S]*?State: +Waiting\n +Reason: +PodInitializing\n +Ready: +False\n +Restart Count: +0/,
    /myapp-container:\n +Container ID: *\n[\s\S]*?State: +Waiting\n +Reason: +PodInitializing\n +Ready: +False/,
    /\/var\/run\/secrets\/kubernetes\.io\/serviceaccount from kube-api-access-\w{5} \(ro\)/,
    /Initialized +False *\n +Ready +False *\n +ContainersReady +False *\n +PodScheduled +True/,
    /kube-api-access-\w{5}:\n +Type: +Projected \(a volume that contains injected data from multiple sources\)\n +TokenExpirationSeconds: +3607\n +ConfigMapName: +kube-root-ca\.crt/,
    /QoS Class: +BestEffort/,
    /node\.kubernetes\.io\/unreachable:NoExecute op=Exists for 300s/,
    /Normal +Scheduled .*Successfully assigned default\/myapp-pod to /,
    /Normal +Pulling .*Pulling image "busybox"/,
    /Normal +Pulled .*Successfully pulled image "busybox" in /,
  ]) {
    assert.match(text, part)
  }
})

test('the log shows the name server and that the name is not there', async () => {
  const log = await eventually('a second look', async () => {
    const printed = await cluster.kubectl('logs myapp-pod -c init-myservice')
    return printed.split('waiting for myservice').length > 2 && printed
  })
  // 10.96.0.10, unless another cluster of the machine has that range.
  const server = await cluster.kubectl('get service kube-dns -n kube-system -o jsonpath={.spec.clusterIP}')
  assert.match(server, /^10\.\d+\.0\.10$/)
  assert.ok(log.includes(`Server:\t\t${server}\nAddress:\t${server}:53`))
  assert.match(log, /\*\* server can't find myservice\.default\.svc\.cluster\.local: NXDOMAIN/)
})

test('step 2: with myservice the second init container has its turn', async () => {
  await cluster.kubectl('create -f -', { input: service('myservice', 9376) })
  await statusIs('0/1', 'Init:1/2')
})

test('step 3: with mydb the Pod runs', async () => {
  await cluster.kubectl('create -f -', { input: service('mydb', 9377) })
  await statusIs('1/1', 'Running')
  const log = await cluster.kubectl('logs myapp-pod -c init-mydb')
  assert.match(log, /waiting for mydb/)
  const address = (await clusterIpOf('mydb')).replaceAll('.', '\\.')
  assert.match(log, new RegExp(`Name:\\s+mydb\\.default\\.svc\\.cluster\\.local\nAddress: ${address}`))
  assert.equal(await cluster.kubectl('logs myapp-pod'), 'The app is running!\n')
})

test("an init container's image can be edited, nothing else of it", async () => {
  const image = await cluster.edit('pod myapp-pod', 's/image: busybox$/image: busybox:1.36/')
  assert.deepEqual([image.code, image.stdout], [0, 'pod/myapp-pod edited\n'])
  const refused = await cluster.edit('pod myapp-pod', 's/3600/7200/')
  assert.equal(refused.code, 1)
  assert.match(refused.stderr, /pods "myapp-pod" is invalid/)
})
