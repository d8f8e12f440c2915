// The proxy's table beside bare nft, in a network namespace of its own (started by services.ts through unshare):
// 1,000 Services with three endpoints each from nothing, and one endpoint more. Prints JSON on its last line.
import { execFileSync } from 'node:child_process'
import type { Service } from '../src/api/types/core-v1.ts'
import type { EndpointSlice } from '../src/api/types/discovery-v1.ts'
import { ipText } from '../src/base/netlink/nft-elements.ts'
import { compileService } from '../src/proxy/compile-service.ts'
import type { Element } from '../src/proxy/elements.ts'
import { NftTable } from '../src/proxy/nft-table.ts'
import { netChanges, RuleTable } from '../src/proxy/rule-table.ts'
import { median } from './measure.ts'

const SERVICES = 1_000
const ENDPOINTS = 3
const CHANGES = 20
const place = { nodeName: 'bench' }

function service(index: number): Service {
  const clusterIP = `10.96.${index >> 8}.${index & 255}`
  const ports = [{ port: 80, protocol: 'TCP' }]
  return {
    metadata: { name: `s${index}`, namespace: 'b' },
    spec: { clusterIP, ports },
    status: {},
  } as Service
}

function slice(index: number, count: number): EndpointSlice {
  const endpoints = Array.from({ length: count }, (_, endpoint) => ({
    addresses: [`10.${240 + endpoint}.${index >> 8}.${index & 255}`],
    conditions: { ready: true },
    nodeName: 'bench',
  }))
  return {
    addressType: 'IPv4',
    ports: [{ name: '', port: 8080, protocol: 'TCP' }],
    endpoints,
  } as EndpointSlice
}

const elementsOf = (index: number, count: number) =>
  compileService(service(index), [slice(index, count)], place)

const timed = async (work: () => unknown): Promise<number> => {
  const startedAt = performance.now()
  await work()
  return performance.now() - startedAt
}

/** The same as text for nft, into the maps of the proxy's own table. */
function asText(table: string, elements: readonly Element[], verb = 'add'): string {
  return elements
    .map(({ map, key, value }) => {
      const to =
        value.to === 'chain'
          ? ` : goto ${value.chain}`
          : value.to === 'data'
            ? ` : ${ipText(value.bytes)} . ${value.bytes.readUInt16BE(4)}`
            : ''
      return `${verb} element ip ${table} ${map} { ${keyText(map, key)}${to} }`
    })
    .join('\n')
}

function keyText(map: string, key: Buffer): string {
  if (map === 'cluster-ips') return ipText(key)
  if (map === 'hairpin') return `${ipText(key)} . ${ipText(key.subarray(4))}`
  const frontend = `${ipText(key)} . ${key[4]} . ${key.readUInt16BE(8)}`
  return map === 'endpoints' ? `${frontend} . ${key.readUInt32LE(12)}` : frontend
}

const nft = (input: string) => execFileSync('nft', ['-f', '-'], { input })
const tableOf = (name: string) =>
  new NftTable({ table: name, podCidr: '10.240.0.0/16', serviceCidr: '10.96.0.0/16', bridge: 'lo' })

const rules = new RuleTable()
const compiling = await timed(() => {
  for (let index = 0; index < SERVICES; index++) rules.set(`b/s${index}`, elementsOf(index, ENDPOINTS))
})
const ours = tableOf('ours')
await ours.install([])
const install = await timed(() => ours.install(rules.elements()))
const again = await timed(() => ours.install(rules.elements()))

const bare = tableOf('bare')
await bare.install([])
const bareInstall = await timed(() => nft(asText('bare', rules.elements())))

const changes: number[] = []
const bareChanges: number[] = []
for (let round = 0; round < CHANGES; round++) {
  const step = rules.set('b/s7', elementsOf(7, round % 2 === 0 ? ENDPOINTS + 1 : ENDPOINTS))
  changes.push(await timed(() => ours.apply(netChanges([step]))))
  const text = `${asText('bare', step.remove, 'delete')}\n${asText('bare', step.add)}\n`
  bareChanges.push(await timed(() => nft(text)))
}
console.log(
  JSON.stringify({
    compiling,
    install,
    again,
    bareInstall,
    change: median(changes),
    bareChange: median(bareChanges),
  }),
)
