// Runs in a network namespace of its own: changes a table of the kernel step by step, makes another one of what is
// wanted in the end, and prints how both differ (as JSON), and how the first does from a table taken over.
import { NETLINK, NetlinkSocket } from '../../src/base/netlink/netlink-socket.ts'
import { listElements, readElements } from '../../src/base/netlink/nft-messages.ts'
import { MAPS, NftTable } from '../../src/proxy/nft-table.ts'
import { netChanges, RuleTable } from '../../src/proxy/rule-table.ts'
import { numbers, randomService, shown } from '../../src/proxy/services.fixture.ts'

const ROUNDS = 150
const netlink = new NetlinkSocket(NETLINK.netfilter)
const tableOf = (table: string) =>
  new NftTable({ table, podCidr: '10.240.0.0/16', serviceCidr: '10.96.0.0/16', bridge: 'lo' })
const held = (table: string) =>
  shown(MAPS.flatMap(map => netlink.dump(listElements(table, map)).flatMap(body => readElements(map, body))))

const random = numbers(Number(process.argv[2]))
const rules = new RuleTable()
const changed = tableOf('changed')
await changed.install([])
for (let round = 0; round < ROUNDS; round++) {
  const steps = Array.from({ length: 1 + random(4) }, () => {
    const name = `s${random(6)}`
    return rules.set(name, randomService(random, name))
  })
  await changed.apply(netChanges(steps))
  changed.forgetStaleRoutes(() => false)
}
await tableOf('scratch').install(rules.elements())
const before = held('changed')
await tableOf('changed').install(rules.elements())
console.log(
  JSON.stringify({
    count: before.length,
    changed: before,
    scratch: held('scratch'),
    takenOver: held('changed'),
  }),
)
process.exit()
