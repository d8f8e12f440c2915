// The cluster's own zone as a pure function from a question to an answer: the DNS-based service discovery
// specification 1.1.0 (kubernetes/dns docs/specification.md), and where it is silent what CoreDNS does.
import { type Cidr, cidrContains, parseIp } from '../../api/ip.ts'
import { labelsOf, type Name, type Question, type ResourceRecord, sameCase } from '../wire/message.ts'
import { RCODE, TYPE } from '../wire/record-types.ts'
import {
  addressRecord,
  cnameRecord,
  nsRecord,
  ptrRecord,
  type Soa,
  soaRecord,
  srvRecord,
  txtRecord,
} from '../wire/records.ts'
import { addressKey, addressOfReverseName, reverseZone } from './reverse-name.ts'
import type { EndpointEntry, NamedPort, ServiceEntry } from './service-entry.ts'
import type { ClusterNames } from './service-index.ts'

export interface ZoneFacts {
  /** 'cluster.local' */
  zone: Name
  /** The server's own service addresses. */
  serverAddresses: readonly string[]
  /** Ranges whose reverse names nobody else can know: of services and pods. */
  ownRanges: readonly Cidr[]
  /** Seconds that an answer may be kept. */
  ttl: number
  /** Grows with every start of the server. */
  serial: number
}

export interface ZoneAnswer {
  rcode: number
  answers: ResourceRecord[]
  authorities: ResourceRecord[]
  additionals: ResourceRecord[]
  /** The name goes on elsewhere: what this one resolves to belongs to the answer too. */
  follow?: Name
}

/** Undefined when the name is not of this zone and somebody else is to be asked. */
export function zoneAnswer(
  question: Question,
  names: ClusterNames,
  facts: ZoneFacts,
): ZoneAnswer | undefined {
  const asked = sameCase(question.name)
  if (asked === facts.zone) return inZone(question, [], names, facts)
  if (asked.endsWith(`.${facts.zone}`)) {
    return inZone(question, labelsOf(asked.slice(0, -facts.zone.length - 1)), names, facts)
  }
  return reverseAnswer(question, asked, names, facts)
}

/** What a name of the zone has: nothing at all ('absent'), or records of which the asked type is picked. */
type Found =
  | 'absent'
  | { records: readonly ResourceRecord[]; additionals?: readonly ResourceRecord[]; follow?: Name }

/** The name is there, if only as a step to others, and has no records. */
const EMPTY: Found = { records: [] }

function inZone(question: Question, labels: string[], names: ClusterNames, facts: ZoneFacts): ZoneAnswer {
  return toAnswer(question, lookUp(question, labels.toReversed(), names, facts), facts.zone, facts)
}

function toAnswer({ type }: Question, found: Found, zone: Name, facts: ZoneFacts): ZoneAnswer {
  const soa = soaRecord(zone, soaOf(facts), facts.ttl)
  const nothing = { answers: [], authorities: [soa], additionals: [] }
  if (found === 'absent') return { rcode: RCODE.nameError, ...nothing }
  const { records, additionals = [], follow } = found
  const answers = records.filter(record => record.type === type || record.type === TYPE.cname)
  if (answers.length === 0) return { rcode: RCODE.noError, ...nothing }
  const isAlias = follow !== undefined && type !== TYPE.cname
  return {
    rcode: RCODE.noError,
    answers,
    authorities: [],
    additionals: [...additionals],
    ...(isAlias && { follow }),
  }
}

function soaOf({ zone, serial, ttl }: ZoneFacts): Soa {
  return {
    primary: `ns.dns.${zone}`,
    mailbox: `hostmaster.${zone}`,
    serial,
    refresh: 7200,
    retry: 1800,
    expire: 86_400,
    minimum: ttl,
  }
}

/** `path` is the name below the zone from the right: 'svc', namespace, service, …. */
function lookUp(question: Question, path: readonly string[], names: ClusterNames, facts: ZoneFacts): Found {
  const [kind, ...rest] = path
  if (kind === undefined) return apex(question, facts)
  if (kind === 'svc') return underServices(question, rest, names, facts)
  if (kind === 'pod') return underPods(question, rest, names, facts)
  if (kind === 'dns-version' && rest.length === 0)
    return { records: [txtRecord(question.name, '1.1.0', facts.ttl)] }
  if (kind === 'dns' && rest.length === 0) return EMPTY
  if (kind === 'dns' && rest.length === 1 && rest[0] === 'ns') {
    return { records: addressRecords(question.name, facts.serverAddresses, facts.ttl) }
  }
  return 'absent'
}

function apex({ name }: Question, facts: ZoneFacts): Found {
  const server = `ns.dns.${facts.zone}`
  return {
    records: [soaRecord(name, soaOf(facts), facts.ttl), nsRecord(name, server, facts.ttl)],
    additionals: addressRecords(server, facts.serverAddresses, facts.ttl),
  }
}

function underPods(
  { name }: Question,
  path: readonly string[],
  names: ClusterNames,
  facts: ZoneFacts,
): Found {
  const [namespace, dashed, ...more] = path
  if (namespace === undefined) return EMPTY
  if (!names.hasNamespace(namespace)) return 'absent'
  if (dashed === undefined) return EMPTY
  const address = addressOfDashes(dashed)
  if (address === undefined || more.length > 0) return 'absent'
  return { records: addressRecords(name, [address], facts.ttl) }
}

/** '10-1-2-3' → '10.1.2.3', 'fd00--1' → 'fd00::1'. */
function addressOfDashes(text: string): string | undefined {
  const address = /^\d+-\d+-\d+-\d+$/.test(text) ? text.replaceAll('-', '.') : text.replaceAll('-', ':')
  return parseIp(address) ? address : undefined
}

function underServices(
  question: Question,
  path: readonly string[],
  names: ClusterNames,
  facts: ZoneFacts,
): Found {
  const [namespace, name, ...rest] = path
  if (namespace === undefined) return EMPTY
  if (!names.hasNamespace(namespace)) return 'absent'
  if (name === undefined) return EMPTY
  const service = names.find(namespace, name)
  if (!service) return 'absent'
  if (service.kind === 'external') {
    if (rest.length > 0) return 'absent'
    return { records: [cnameRecord(question.name, service.target, facts.ttl)], follow: service.target }
  }
  const targets = targetsOf(service, facts.zone)
  if (targets.length === 0) return 'absent'
  const [first, second, ...more] = rest
  if (first === undefined) return withServices(question, targets, allPorts(targets), facts)
  if (first.startsWith('_')) {
    return more.length > 0 ? 'absent' : portName(question, targets, [first, second], facts)
  }
  return second === undefined ? endpointName(question, service, first, facts) : 'absent'
}

/** Something that answers for a Service: its cluster IP, or one of its endpoints. */
interface Target {
  name: Name
  address: string
  ports: readonly NamedPort[]
}

type Served = Extract<ServiceEntry, { kind: 'cluster' | 'headless' }>

function targetsOf(service: Served, zone: Name): Target[] {
  const name = serviceName(service, zone)
  if (service.kind === 'cluster')
    return service.addresses.map(address => ({ name, address, ports: service.ports }))
  return service.endpoints.map(endpoint => endpointTarget(endpoint, name))
}

const serviceName = ({ name, namespace }: ServiceEntry, zone: Name) => `${name}.${namespace}.svc.${zone}`

const endpointTarget = ({ label, address, ports }: EndpointEntry, service: Name): Target => ({
  name: `${label}.${service}`,
  address,
  ports,
})

const allPorts = (targets: readonly Target[]) =>
  targets.flatMap(({ name, ports }) => ports.map(port => ({ target: name, port: port.port })))

/** The Service's own name: its addresses, and what SRV finds there. */
function withServices(
  question: Question,
  targets: readonly Target[],
  ports: readonly { target: Name; port: number }[],
  { ttl }: ZoneFacts,
): Found {
  if (question.type !== TYPE.srv) {
    const addresses = targets.map(({ address }) => address)
    return { records: addressRecords(question.name, addresses, ttl) }
  }
  const distinct = [...new Map(ports.map(port => [`${port.target} ${port.port}`, port])).values()]
  // CoreDNS's weights: all alike, about a hundred together.
  const weight = Math.max(1, Math.floor(100 / Math.max(1, distinct.length)))
  const used = new Set(distinct.map(({ target }) => target))
  return {
    records: distinct.map(port => srvRecord(question.name, { ...port, weight }, ttl)),
    additionals: targets
      .filter(({ name }) => used.has(name))
      .map(({ name, address }) => addressRecord(name, address, ttl)),
  }
}

/** '_tcp.…' is only a step to '_http._tcp.…'. */
function portName(
  question: Question,
  targets: readonly Target[],
  [protocol, name]: [string, string | undefined],
  facts: ZoneFacts,
): Found {
  const matching = targets.map(target => ({
    ...target,
    ports: target.ports.filter(
      port =>
        `_${port.protocol}` === protocol &&
        port.name !== '' &&
        (name === undefined || `_${port.name}` === name),
    ),
  }))
  const ports = allPorts(matching)
  if (ports.length === 0) return 'absent'
  if (name === undefined || question.type !== TYPE.srv) return EMPTY
  return withServices(question, targets, ports, facts)
}

/** An endpoint by its hostname or dashed address; CoreDNS answers it for Services with a cluster IP too. */
function endpointName(question: Question, service: Served, label: string, facts: ZoneFacts): Found {
  const name = serviceName(service, facts.zone)
  const targets = service.endpoints
    .filter(endpoint => endpoint.label === label)
    .map(endpoint => endpointTarget(endpoint, name))
  return targets.length === 0 ? 'absent' : withServices(question, targets, allPorts(targets), facts)
}

function addressRecords(name: Name, addresses: readonly string[], ttl: number): ResourceRecord[] {
  return [...new Set(addresses)].map(address => addressRecord(name, address, ttl))
}

function reverseAnswer(
  question: Question,
  asked: Name,
  names: ClusterNames,
  facts: ZoneFacts,
): ZoneAnswer | undefined {
  const ip = addressOfReverseName(asked)
  if (!ip) return undefined
  const range = facts.ownRanges.find(range => cidrContains(range, ip))
  const pointers = pointersTo(addressKey(ip), names, facts.zone)
  if (pointers.length === 0 && !range) return undefined
  const zone = range ? reverseZone(range.ip, range.bits) : ip.family === 4 ? 'in-addr.arpa' : 'ip6.arpa'
  const records = pointers.map(target => ptrRecord(question.name, target, facts.ttl))
  return toAnswer(question, records.length === 0 ? 'absent' : { records }, zone, facts)
}

/** A cluster IP is its Service's; an endpoint's address stands for the endpoint's name under headless Services. */
function pointersTo(address: string, names: ClusterNames, zone: Name): Name[] {
  const services = names.byAddress(address)
  const owner = services.find(
    entry => entry.kind === 'cluster' && entry.addresses.some(own => keyOf(own) === address),
  )
  if (owner) return [serviceName(owner, zone)]
  const pointers = services.flatMap(entry =>
    entry.kind === 'headless'
      ? entry.endpoints
          .filter(endpoint => keyOf(endpoint.address) === address)
          .map(({ label }) => `${label}.${serviceName(entry, zone)}`)
      : [],
  )
  return [...new Set(pointers)].sort()
}

function keyOf(address: string): string {
  const ip = parseIp(address)
  return ip ? addressKey(ip) : ''
}
