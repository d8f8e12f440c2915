import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ipText, type NftElement } from '../../../base/netlink/nft-elements.ts'
import type { PortMapping } from '../../cri/cri.generated.ts'
import { HostPorts, hostPortRules } from './host-ports.ts'

const shown = ({ map, key, value }: NftElement) => {
  if (map === 'host-port-pods') return `${map} ${ipText(key)}`
  const rest = map === 'host-ports-at' ? key.subarray(4) : key
  const at = map === 'host-ports-at' ? ipText(key) : '*'
  const to = value.to === 'data' ? `${ipText(value.bytes)}:${value.bytes.readUInt16BE(4)}` : ''
  return `${map} ${at}:${rest.readUInt16BE(4)}/${rest[0]} ${to}`
}

const cases: Record<string, [PortMapping[], string[]]> = {
  'at every address of the node': [
    [{ containerPort: 80, hostPort: 8080 }],
    ['host-ports *:8080/6 10.0.0.2:80', 'host-port-pods 10.0.0.2'],
  ],
  'at one address': [
    [{ containerPort: 80, hostPort: 8080, hostIp: '127.0.0.1', protocol: 'UDP' }],
    ['host-ports-at 127.0.0.1:8080/17 10.0.0.2:80', 'host-port-pods 10.0.0.2'],
  ],
  'an address that stands for all': [
    [{ containerPort: 80, hostPort: 8080, hostIp: '0.0.0.0', protocol: 'SCTP' }],
    ['host-ports *:8080/132 10.0.0.2:80', 'host-port-pods 10.0.0.2'],
  ],
  'a port of the container only': [[{ containerPort: 80 }, { containerPort: 81, hostPort: 0 }], []],
  'an address of the other family': [[{ containerPort: 80, hostPort: 8080, hostIp: 'fd00::1' }], []],
}

for (const [title, [mappings, expected]] of Object.entries(cases)) {
  test(`host port: ${title}`, () => {
    const ports = new HostPorts('t')
    ports.restore('s', '10.0.0.2', mappings)
    assert.deepEqual(ports.elements().map(shown), expected)
  })
}

test('a port that two sandboxes claim after a restart is in the table once', () => {
  const ports = new HostPorts('t')
  ports.restore('old', '10.0.0.2', [{ containerPort: 80, hostPort: 8080 }])
  ports.restore('new', '10.0.0.3', [{ containerPort: 80, hostPort: 8080 }])
  assert.deepEqual(
    ports
      .elements()
      .map(shown)
      .filter(text => text.startsWith('host-ports')),
    ['host-ports *:8080/6 10.0.0.3:80'],
  )
  const text = hostPortRules('br0', ports.elements())
  assert.match(text, /map host-ports \{[^}]*elements = \{ 6 \. 8080 : 10\.0\.0\.3 \. 80 \};/)
  assert.match(
    text,
    /set host-port-pods \{[^}]*elements = \{ 10\.0\.0\.2 \. 10\.0\.0\.2, 10\.0\.0\.3 \. 10\.0\.0\.3 \};/,
  )
})
