import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Pod, PodSpec } from '../../api/types/core-v1.ts'
import type { DNSConfig } from '../../runtime/cri/cri.generated.ts'
import { dnsProblems, parseResolvConf, podDns } from './pod-dns.ts'

const facts = {
  clusterDns: ['10.96.0.10'],
  clusterDomain: 'cluster.local',
  resolvConf:
    '# made by hand\nnameserver 192.0.2.53\nsearch example.org. cluster.local\noptions timeout:2 rotate\n',
}
const host = {
  servers: ['192.0.2.53'],
  searches: ['example.org', 'cluster.local'],
  options: ['timeout:2', 'rotate'],
}
const cluster = {
  servers: ['10.96.0.10'],
  searches: ['shop.svc.cluster.local', 'svc.cluster.local', 'cluster.local', 'example.org'],
  options: ['ndots:5'],
}
const pod = (spec: Partial<PodSpec>) => ({ metadata: { name: 'p', namespace: 'shop' }, spec }) as Pod

const table: Record<string, [Partial<PodSpec>, Required<DNSConfig>]> = {
  'without a policy the cluster is asked': [{}, cluster],
  'ClusterFirst asks the cluster': [{ dnsPolicy: 'ClusterFirst' }, cluster],
  'ClusterFirst on the host network asks as the host does': [
    { dnsPolicy: 'ClusterFirst', hostNetwork: true },
    host,
  ],
  'ClusterFirstWithHostNet asks the cluster from the host network too': [
    { dnsPolicy: 'ClusterFirstWithHostNet', hostNetwork: true },
    cluster,
  ],
  'Default asks as the host does': [{ dnsPolicy: 'Default' }, host],
  'None has nothing but what the pod says': [
    {
      dnsPolicy: 'None',
      dnsConfig: {
        nameservers: ['1.1.1.1'],
        searches: ['my.dns'],
        options: [{ name: 'ndots', value: '2' }, { name: 'edns0' }],
      },
    },
    { servers: ['1.1.1.1'], searches: ['my.dns'], options: ['ndots:2', 'edns0'] },
  ],
  'the pod adds servers and paths, and replaces options of the same name': [
    {
      dnsConfig: {
        nameservers: ['1.1.1.1', '10.96.0.10'],
        searches: ['my.dns', 'cluster.local'],
        options: [{ name: 'ndots', value: '2' }],
      },
    },
    { servers: ['10.96.0.10', '1.1.1.1'], searches: [...cluster.searches, 'my.dns'], options: ['ndots:2'] },
  ],
}
for (const [what, [spec, expected]] of Object.entries(table)) {
  test(what, () => assert.deepEqual(podDns(pod(spec), facts), expected))
}

test('of a resolv.conf the last search line counts, comments do not', () => {
  assert.deepEqual(
    parseResolvConf('search a\n; search b\nsearch c .\nnameserver ::1 # x\noptions ndots:2\n'),
    {
      servers: ['::1'],
      searches: ['c', '.'],
      options: ['ndots:2'],
    },
  )
})

const none = (dnsConfig: NonNullable<PodSpec['dnsConfig']>) => pod({ dnsPolicy: 'None', dnsConfig })

test('a fourth server is left out, and an event says so', () => {
  const spec = none({ nameservers: ['1.1.1.1', '1.1.1.2', '1.1.1.3', '1.1.1.4'] })
  assert.deepEqual(podDns(spec, facts).servers, ['1.1.1.1', '1.1.1.2', '1.1.1.3'])
  assert.deepEqual(dnsProblems(spec, facts), [
    'Nameserver limits were exceeded, some nameservers have been omitted, the applied nameserver line is: 1.1.1.1 1.1.1.2 1.1.1.3',
  ])
})

const omitted = (searches: readonly string[]) => [
  `Search Line limits were exceeded, some search paths have been omitted, the applied search line is: ${searches.join(' ')}`,
]

test('a search path of 254 characters, and what comes after 32 paths or 2048 characters, is left out', () => {
  const long = none({ searches: ['a', 'b'.repeat(254), 'c'] })
  assert.deepEqual(podDns(long, facts).searches, ['a', 'c'])
  assert.deepEqual(dnsProblems(long, facts), omitted(['a', 'c']))
  const many = Array.from({ length: 33 }, (_, index) => `s${index}`)
  assert.deepEqual(dnsProblems(none({ searches: many }), facts), omitted(many.slice(0, 32)))
  const wide = Array.from({ length: 9 }, (_, index) => `${index}`.padEnd(227, 'x'))
  assert.deepEqual(podDns(none({ searches: wide }), facts).searches.join(' ').length, 9 * 227 + 8 - 228)
  const exact = [...wide.slice(0, 8), 'y'.repeat(225 - 1)]
  assert.equal(exact.join(' ').length, 2048)
  assert.deepEqual(dnsProblems(none({ searches: exact }), facts), [])
})

test('nothing is said when everything fits', () => {
  assert.deepEqual(dnsProblems(pod({}), facts), [])
})
