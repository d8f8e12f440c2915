// Cluster DNS as pods see it: with the real nslookup of an image, through the pod network.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { eventually, TestCluster } from './test-cluster.ts'

let cluster: TestCluster

before(async () => {
  cluster = await TestCluster.up()
})
after(async () => cluster?.[Symbol.asyncDispose]())

const apply = (object: object) =>
  cluster.kubectl(['apply', '-f', '-'], { input: JSON.stringify({ apiVersion: 'v1', ...object }) })

const service = (name: string, spec: object) => apply({ kind: 'Service', metadata: { name }, spec })

/** Runs the commands one after the other in a new pod and answers what each printed. */
async function inPod(name: string, commands: string[], spec: object = {}): Promise<string[]> {
  const script = commands.map(command => `${command} 2>&1; echo ----`).join('; ')
  await apply({
    kind: 'Pod',
    metadata: { name },
    spec: {
      restartPolicy: 'Never',
      containers: [{ name: 'c', image: 'busybox:1.36', command: ['sh', '-c', script] }],
      ...spec,
    },
  })
  await cluster.kubectl(`wait pod/${name} --for=jsonpath={.status.phase}=Succeeded --timeout=20s`)
  const printed = await cluster.kubectl(`logs ${name}`)
  return printed.split('----\n').slice(0, commands.length)
}

const clusterIpOf = async (name: string, namespace = 'default') =>
  await cluster.kubectl(`get service ${name} -n ${namespace} -o jsonpath={.spec.clusterIP}`)

const addresses = (printed: string) =>
  [...printed.matchAll(/^Address(?: \d)?:\s*(\S+)$/gm)].map(match => match[1]!)

test('Services of every kind have their names', async () => {
  await service('web', { clusterIP: '', ports: [{ name: 'http', port: 80 }] })
  await service('outside', { type: 'ExternalName', externalName: 'web.default.svc.cluster.local' })
  const [web, own, outside, reverse, dns, none] = await inPod('asks', [
    'nslookup web.default.svc.cluster.local',
    'nslookup kubernetes.default.svc.cluster.local',
    'nslookup -type=a outside.default.svc.cluster.local',
    `nslookup ${await clusterIpOf('web')}`,
    'cat /etc/resolv.conf',
    'nslookup none.default.svc.cluster.local',
  ])
  const server = `${await clusterIpOf('kube-dns', 'kube-system')}:53`
  assert.deepEqual(addresses(web!), [server, await clusterIpOf('web')])
  assert.deepEqual(addresses(own!), [server, await clusterIpOf('kubernetes')])
  assert.match(outside!, /outside.default.svc.cluster.local\s+canonical name = web.default.svc.cluster.local/)
  assert.deepEqual(addresses(outside!), [server, await clusterIpOf('web')])
  assert.match(reverse!, /in-addr.arpa\s+name = web.default.svc.cluster.local/)
  assert.match(dns!, /^search default.svc.cluster.local svc.cluster.local cluster.local/m)
  assert.match(dns!, new RegExp(`^nameserver ${server.replace(':53', '')}$`, 'm'))
  assert.match(dns!, /^options ndots:5$/m)
  assert.match(none!, /NXDOMAIN/)
})

test('a headless Service tells its ready pods, each by its hostname, from the moment that they are ready', async () => {
  await service('db', { clusterIP: 'None', selector: { app: 'db' }, ports: [{ name: 'sql', port: 5432 }] })
  const pod = (name: string, ready: boolean) =>
    apply({
      kind: 'Pod',
      metadata: { name, labels: { app: 'db' } },
      spec: {
        hostname: name,
        subdomain: 'db',
        terminationGracePeriodSeconds: 0,
        containers: [
          {
            name: 'c',
            image: 'busybox:1.36',
            command: ['sleep', '600'],
            ...(!ready && { readinessProbe: { exec: { command: ['false'] } } }),
          },
        ],
      },
    })
  await Promise.all([pod('db-0', true), pod('db-1', false)])
  await cluster.kubectl('wait pod/db-0 --for=condition=Ready --timeout=20s')
  const ip = await cluster.kubectl('get pod db-0 -o jsonpath={.status.podIP}')
  const [all, one, unready, fqdn] = await inPod('asks-db', [
    'nslookup -type=a db.default.svc.cluster.local',
    'nslookup -type=a db-0.db.default.svc.cluster.local',
    'nslookup -type=a db-1.db.default.svc.cluster.local',
    `nslookup ${ip.replaceAll('.', '-')}.default.pod.cluster.local`,
  ])
  assert.deepEqual(addresses(all!).slice(1), [ip])
  assert.deepEqual(addresses(one!).slice(1), [ip])
  assert.match(unready!, /NXDOMAIN/)
  assert.deepEqual(addresses(fqdn!).slice(1), [ip])
  await service('db', {
    clusterIP: 'None',
    publishNotReadyAddresses: true,
    selector: { app: 'db' },
    ports: [{ name: 'sql', port: 5432 }],
  })
  await eventually('the slice tells both', async () =>
    (await cluster.kubectl('get endpointslices -o jsonpath={.items[*].endpoints[*].conditions.ready}'))
      .split(' ')
      .every(ready => ready === 'true'),
  )
  const other = await cluster.kubectl('get pod db-1 -o jsonpath={.status.podIP}')
  const [both] = await inPod('asks-both', ['nslookup -type=a db.default.svc.cluster.local'])
  assert.deepEqual(addresses(both!).slice(1).sort(), [ip, other].sort())
})

test('every dnsPolicy and dnsConfig is in the resolv.conf of the pod', async () => {
  const ask = async (name: string, spec: object) => (await inPod(name, ['cat /etc/resolv.conf'], spec))[0]!
  const server = await clusterIpOf('kube-dns', 'kube-system')
  const [host, clusterOnHost, none] = await Promise.all([
    ask('as-host', { dnsPolicy: 'Default' }),
    ask('on-host', { dnsPolicy: 'ClusterFirstWithHostNet', hostNetwork: true }),
    ask('none', {
      dnsPolicy: 'None',
      dnsConfig: {
        nameservers: ['192.0.2.1'],
        searches: ['my.dns'],
        options: [{ name: 'ndots', value: '2' }, { name: 'edns0' }],
      },
    }),
  ])
  assert.doesNotMatch(host, new RegExp(`cluster.local|${server}`))
  assert.match(clusterOnHost, new RegExp(`nameserver ${server}\n`))
  assert.equal(
    none.split('\n').sort().join('\n').trim(),
    'nameserver 192.0.2.1\noptions ndots:2 edns0\nsearch my.dns',
  )
})
