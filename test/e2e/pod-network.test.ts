// The pod network: each Pod an address, pod to pod, node to pod, pod to node, and pod to a host outside, which sees
// the node's address. The host outside is a network namespace behind a link of its own.
import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { Pod } from '../../src/api/types/core-v1.ts'
import { eventually, pageAt, TestCluster } from './test-cluster.ts'

const NODE_SIDE = '198.18.77.1'
const OUTSIDE = '198.18.77.2'

let cluster: TestCluster

before(async () => {
  cluster = await TestCluster.up()
  const manifest = ['one', 'two'].map(name => webPod(name)).join('---\n')
  await cluster.kubectl('apply -f -', { input: manifest })
  await cluster.kubectl('wait --for=condition=Ready pod/one pod/two --timeout=30s')
})

after(() => cluster?.[Symbol.asyncDispose]())

/** Serves its own name, and shows in its log who asked. */
const webPod = (name: string) => `
apiVersion: v1
kind: Pod
metadata:
  name: ${name}
spec:
  terminationGracePeriodSeconds: 0
  initContainers:
  - name: page
    image: busybox:1.36
    command: ["sh", "-c", "echo served by ${name} > /www/index.html"]
    volumeMounts: [{name: www, mountPath: /usr/share/nginx/html}, {name: www, mountPath: /www}]
  containers:
  - name: web
    image: nginx:1.22
    volumeMounts: [{name: www, mountPath: /usr/share/nginx/html}]
  volumes:
  - name: www
    emptyDir: {}
`

/** Runs a command in a new Pod; answers what it printed. */
async function inPod(name: string, command: string): Promise<string> {
  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name },
    spec: {
      restartPolicy: 'Never',
      containers: [{ name: 'c', image: 'busybox:1.36', command: ['sh', '-c', command] }],
    },
  }
  await cluster.kubectl('create -f -', { input: JSON.stringify(pod) })
  await eventually(`${name} ended`, async () =>
    /Succeeded|Failed/.test((await cluster.json<Pod>(`get pod ${name}`)).status.phase ?? ''),
  )
  return cluster.kubectl(`logs ${name}`)
}

const addressOf = async (name: string) => (await cluster.json<Pod>(`get pod ${name}`)).status.podIP!

test('every Pod has an address of its own, and the node reaches it', async () => {
  const addresses = await Promise.all(['one', 'two'].map(addressOf))
  assert.notEqual(addresses[0], addresses[1])
  for (const [index, name] of ['one', 'two'].entries()) {
    assert.equal(await pageAt(`http://${addresses[index]}/`), `served by ${name}\n`)
  }
})

test('a Pod reaches another, which sees its address', async () => {
  const output = await inPod('visitor', `wget -qO- http://${await addressOf('two')}/; hostname -i`)
  const [page, own] = output.trim().split('\n')
  assert.equal(page, 'served by two')
  assert.equal(own, await addressOf('visitor'))
  await eventually('the visit is logged', async () =>
    (await cluster.kubectl('logs two')).split('\n').some(line => line.startsWith(`${own} `)),
  )
})

test('containers of one Pod share its loopback', async () => {
  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'shared' },
    spec: {
      restartPolicy: 'Never',
      containers: [
        { name: 'web', image: 'nginx:1.22' },
        {
          name: 'client',
          image: 'busybox:1.36',
          command: ['sh', '-c', 'until wget -qO- http://127.0.0.1/ | grep title; do sleep 0.1; done'],
        },
      ],
    },
  }
  await cluster.kubectl('create -f -', { input: JSON.stringify(pod) })
  await eventually('the client saw the page', async () =>
    /Welcome to nginx/.test(await cluster.kubectl('logs shared -c client')),
  )
  await cluster.kubectl('delete pod shared --grace-period=0 --force')
})

test('a Pod reaches a host outside, which sees the node and not the Pod', async () => {
  const outside = outsideHost()
  try {
    const page = await inPod('traveller', `wget -qO- http://${OUTSIDE}:8080/`)
    assert.equal(page, 'from outside\n')
    await eventually('the visit is logged', () => /response:200/.test(outside.log()))
    assert.match(outside.log(), new RegExp(`${NODE_SIDE.replaceAll('.', '\\.')}\\]?:\\d+: response:200`))
  } finally {
    outside.remove()
  }
})

function outsideHost(): { log(): string; remove(): void } {
  const name = `out-${process.pid}`
  const link = `ko${process.pid}`
  const folder = mkdtempSync(join(tmpdir(), 'outside-'))
  writeFileSync(join(folder, 'index.html'), 'from outside\n')
  const ip = (args: string) => execFileSync('ip', args.split(' '))
  ip(`netns add ${name}`)
  ip(`link add ${link} type veth peer name eth0 netns ${name}`)
  ip(`addr add ${NODE_SIDE}/30 dev ${link}`)
  ip(`link set ${link} up`)
  ip(`-n ${name} addr add ${OUTSIDE}/30 dev eth0`)
  ip(`-n ${name} link set eth0 up`)
  const server = spawn('ip', [
    'netns',
    'exec',
    name,
    'busybox',
    'httpd',
    '-f',
    '-vv',
    '-p',
    '8080',
    '-h',
    folder,
  ])
  let text = ''
  server.stderr.setEncoding('utf8').on('data', chunk => {
    text += chunk
  })
  return {
    log: () => text,
    remove: () => {
      server.kill()
      ip(`netns del ${name}`)
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
