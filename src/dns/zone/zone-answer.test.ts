import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseCidr } from '../../api/ip.ts'
import { lines, question, type TypeName } from '../testing/query.fixture.ts'
import { RCODE } from '../wire/record-types.ts'
import { canonicalAddress } from './reverse-name.ts'
import type { ServiceEntry } from './service-entry.ts'
import type { ClusterNames } from './service-index.ts'
import { zoneAnswer } from './zone-answer.ts'

const http = { name: 'http', protocol: 'tcp', port: 80 }
const dns = { name: 'dns', protocol: 'udp', port: 53 }
const unnamed = { name: '', protocol: 'tcp', port: 7 }
const entries: ServiceEntry[] = [
  {
    kind: 'cluster',
    namespace: 'a',
    name: 'web',
    addresses: ['10.96.0.7', 'fd00:96::7'],
    ports: [http, dns, unnamed],
    endpoints: [{ label: '10-244-0-9', address: '10.244.0.9', ports: [http] }],
  },
  {
    kind: 'headless',
    namespace: 'a',
    name: 'db',
    addresses: [],
    ports: [],
    endpoints: [
      { label: 'db-0', address: '10.244.0.5', ports: [http] },
      { label: '10-244-0-6', address: '10.244.0.6', ports: [http] },
      { label: '10-244-0-6', address: 'fd00:244::6', ports: [http] },
    ],
  },
  { kind: 'headless', namespace: 'a', name: 'empty', addresses: [], ports: [], endpoints: [] },
  { kind: 'external', namespace: 'a', name: 'far', target: 'www.example.org' },
]
const names: ClusterNames = {
  hasNamespace: name => name === 'a' || name === 'bare',
  find: (namespace, name) => entries.find(entry => entry.namespace === namespace && entry.name === name),
  byAddress: address =>
    entries.filter(
      entry =>
        entry.kind !== 'external' &&
        [...entry.addresses, ...entry.endpoints.map(endpoint => endpoint.address)]
          .map(canonicalAddress)
          .includes(address),
    ),
}
const facts = {
  zone: 'cluster.local',
  serverAddresses: ['10.96.0.10'],
  ownRanges: ['10.96.0.0/16', '10.244.0.0/16'].map(text => parseCidr(text)!),
  ttl: 5,
  serial: 9,
}
const SOA = 'SOA ns.dns.cluster.local hostmaster.cluster.local 9 7200 1800 86400 5'

const NXDOMAIN = 'NXDOMAIN'
const NODATA = 'NODATA'
const ELSEWHERE = 'ELSEWHERE'

/** Name and type, then the records of the answer, or what is said instead. */
const table: [string, TypeName, string | string[], string[]?][] = [
  ['web.a.svc.cluster.local', 'a', ['web.a.svc.cluster.local 5 A 10.96.0.7']],
  ['WEB.a.SVC.cluster.LOCAL', 'a', ['WEB.a.SVC.cluster.LOCAL 5 A 10.96.0.7']],
  [
    'web.a.svc.cluster.local',
    'aaaa',
    ['web.a.svc.cluster.local 5 AAAA fd00:0096:0000:0000:0000:0000:0000:0007'],
  ],
  ['web.a.svc.cluster.local', 'txt', NODATA],
  ['web.a.svc.cluster.local', 'cname', NODATA],
  [
    '_http._tcp.web.a.svc.cluster.local',
    'srv',
    ['_http._tcp.web.a.svc.cluster.local 5 SRV 0 100 80 web.a.svc.cluster.local'],
    [
      'web.a.svc.cluster.local 5 A 10.96.0.7',
      'web.a.svc.cluster.local 5 AAAA fd00:0096:0000:0000:0000:0000:0000:0007',
    ],
  ],
  [
    '_dns._udp.web.a.svc.cluster.local',
    'srv',
    ['_dns._udp.web.a.svc.cluster.local 5 SRV 0 100 53 web.a.svc.cluster.local'],
  ],
  ['_dns._tcp.web.a.svc.cluster.local', 'srv', NXDOMAIN],
  ['_http._tcp.web.a.svc.cluster.local', 'a', NODATA],
  ['_tcp.web.a.svc.cluster.local', 'srv', NODATA],
  ['_sctp.web.a.svc.cluster.local', 'srv', NXDOMAIN],
  ['x._http._tcp.web.a.svc.cluster.local', 'srv', NXDOMAIN],
  ['10-244-0-9.web.a.svc.cluster.local', 'a', ['10-244-0-9.web.a.svc.cluster.local 5 A 10.244.0.9']],
  ['nobody.web.a.svc.cluster.local', 'a', NXDOMAIN],

  [
    'db.a.svc.cluster.local',
    'a',
    ['db.a.svc.cluster.local 5 A 10.244.0.5', 'db.a.svc.cluster.local 5 A 10.244.0.6'],
  ],
  [
    'db.a.svc.cluster.local',
    'aaaa',
    ['db.a.svc.cluster.local 5 AAAA fd00:0244:0000:0000:0000:0000:0000:0006'],
  ],
  ['db-0.db.a.svc.cluster.local', 'a', ['db-0.db.a.svc.cluster.local 5 A 10.244.0.5']],
  ['db-0.db.a.svc.cluster.local', 'aaaa', NODATA],
  ['db-1.db.a.svc.cluster.local', 'a', NXDOMAIN],
  [
    '_http._tcp.db.a.svc.cluster.local',
    'srv',
    [
      '_http._tcp.db.a.svc.cluster.local 5 SRV 0 50 80 db-0.db.a.svc.cluster.local',
      '_http._tcp.db.a.svc.cluster.local 5 SRV 0 50 80 10-244-0-6.db.a.svc.cluster.local',
    ],
    [
      'db-0.db.a.svc.cluster.local 5 A 10.244.0.5',
      '10-244-0-6.db.a.svc.cluster.local 5 A 10.244.0.6',
      '10-244-0-6.db.a.svc.cluster.local 5 AAAA fd00:0244:0000:0000:0000:0000:0000:0006',
    ],
  ],
  ['empty.a.svc.cluster.local', 'a', NXDOMAIN],

  ['far.a.svc.cluster.local', 'a', ['far.a.svc.cluster.local 5 CNAME www.example.org']],
  ['far.a.svc.cluster.local', 'cname', ['far.a.svc.cluster.local 5 CNAME www.example.org']],
  ['x.far.a.svc.cluster.local', 'a', NXDOMAIN],

  ['none.a.svc.cluster.local', 'a', NXDOMAIN],
  ['web.other.svc.cluster.local', 'a', NXDOMAIN],
  ['a.svc.cluster.local', 'a', NODATA],
  ['bare.svc.cluster.local', 'a', NODATA],
  ['other.svc.cluster.local', 'a', NXDOMAIN],
  ['svc.cluster.local', 'a', NODATA],
  ['web.cluster.local', 'a', NXDOMAIN],
  ['*.a.svc.cluster.local', 'a', NXDOMAIN],

  ['10-1-2-3.a.pod.cluster.local', 'a', ['10-1-2-3.a.pod.cluster.local 5 A 10.1.2.3']],
  [
    'fd00--1.a.pod.cluster.local',
    'aaaa',
    ['fd00--1.a.pod.cluster.local 5 AAAA fd00:0000:0000:0000:0000:0000:0000:0001'],
  ],
  ['10-1-2-3.a.pod.cluster.local', 'aaaa', NODATA],
  ['10-1-2-300.a.pod.cluster.local', 'a', NXDOMAIN],
  ['web.a.pod.cluster.local', 'a', NXDOMAIN],
  ['10-1-2-3.other.pod.cluster.local', 'a', NXDOMAIN],
  ['a.pod.cluster.local', 'a', NODATA],
  ['pod.cluster.local', 'a', NODATA],

  ['dns-version.cluster.local', 'txt', ['dns-version.cluster.local 5 TXT "1.1.0"']],
  ['dns-version.cluster.local', 'a', NODATA],
  ['cluster.local', 'soa', [`cluster.local 5 ${SOA}`]],
  [
    'cluster.local',
    'ns',
    ['cluster.local 5 NS ns.dns.cluster.local'],
    ['ns.dns.cluster.local 5 A 10.96.0.10'],
  ],
  ['ns.dns.cluster.local', 'a', ['ns.dns.cluster.local 5 A 10.96.0.10']],
  ['cluster.local', 'a', NODATA],

  ['7.0.96.10.in-addr.arpa', 'ptr', ['7.0.96.10.in-addr.arpa 5 PTR web.a.svc.cluster.local']],
  ['5.0.244.10.in-addr.arpa', 'ptr', ['5.0.244.10.in-addr.arpa 5 PTR db-0.db.a.svc.cluster.local']],
  [
    '7.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.6.9.0.0.0.0.d.f.ip6.arpa',
    'ptr',
    [
      '7.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.6.9.0.0.0.0.d.f.ip6.arpa 5 PTR web.a.svc.cluster.local',
    ],
  ],
  ['8.0.96.10.in-addr.arpa', 'ptr', NXDOMAIN],
  ['7.0.96.10.in-addr.arpa', 'a', NODATA],
  ['8.8.8.8.in-addr.arpa', 'ptr', ELSEWHERE],
  ['example.org', 'a', ELSEWHERE],
  ['notcluster.local', 'a', ELSEWHERE],
]

for (const [name, type, expected, additionals] of table) {
  const outcome = typeof expected === 'string' ? expected : 'records'
  test(`${name} ${type.toUpperCase()}: ${outcome}`, () => {
    const answer = zoneAnswer(question(name, type), names, facts)
    if (expected === ELSEWHERE) {
      assert.equal(answer, undefined)
      return
    }
    assert.ok(answer)
    assert.equal(answer.rcode, expected === NXDOMAIN ? RCODE.nameError : RCODE.noError)
    assert.deepEqual(lines(answer.answers), Array.isArray(expected) ? expected : [])
    if (additionals) assert.deepEqual(lines(answer.additionals), additionals)
    const zone = name.endsWith('arpa') ? '96.10.in-addr.arpa' : 'cluster.local'
    assert.deepEqual(lines(answer.authorities), Array.isArray(expected) ? [] : [`${zone} 5 ${SOA}`])
  })
}

test('SRV of a Service itself tells all its ports', () => {
  const answer = zoneAnswer(question('web.a.svc.cluster.local', 'srv'), names, facts)!
  assert.deepEqual(
    lines(answer.answers),
    [80, 53, 7].map(port => `web.a.svc.cluster.local 5 SRV 0 33 ${port} web.a.svc.cluster.local`),
  )
})

test('an alias says where it goes on, but not to who asks for the alias itself', () => {
  const follow = (type: TypeName) =>
    zoneAnswer(question('far.a.svc.cluster.local', type), names, facts)!.follow
  assert.equal(follow('a'), 'www.example.org')
  assert.equal(follow('cname'), undefined)
})
