// nf_tables messages that add and remove elements of maps and list what is in them. Tables, chains and rules are
// made by the program nft. Numbers: linux/netfilter/nf_tables.h.
import {
  attribute,
  listAttributes,
  nested,
  readAttributes,
  textAttribute,
  u32Attribute,
} from './attributes.ts'
import { type NetlinkMessage, NLM } from './netlink-socket.ts'
import type { NftElement, NftValue } from './nft-elements.ts'

const NFTABLES = 10
const AF_INET = 2
const message = { getChain: 4, newSetElement: 12, getSetElement: 13, deleteSetElement: 14 }
const batch = { begin: 0x10, end: 0x11 }
const list = { table: 1, set: 2, elements: 3 }
const element = { key: 1, data: 2, flags: 3, keyEnd: 10 }
const data = { value: 1, verdict: 2 }
const verdict = { code: 1, chain: 2 }
const chainAttribute = { table: 1, name: 3 }
const LIST_MEMBER = 1
const GOTO = -4
/** Attribute lengths have 16 bits: elements travel in portions. */
const PORTION = 400

const typeOf = (kind: number) => (NFTABLES << 8) | kind

/** nfgenmsg: family, version, and for batches the subsystem. */
function header(family: number, subsystem = 0): Buffer {
  return Buffer.from([family, 0, subsystem >> 8, subsystem & 255])
}

/** One transaction: all of it happens at once, or nothing. */
export function changeElements(
  table: string,
  { remove, add }: { remove: readonly NftElement[]; add: readonly NftElement[] },
): NetlinkMessage[] {
  return [
    { type: batch.begin, flags: NLM.request, body: header(0, NFTABLES) },
    ...portions(remove).map(part => elementsMessage(message.deleteSetElement, table, part)),
    ...portions(add).map(part => elementsMessage(message.newSetElement, table, part)),
    { type: batch.end, flags: NLM.request, body: header(0, NFTABLES) },
  ]
}

function portions(elements: readonly NftElement[]): NftElement[][] {
  const byMap = new Map<string, NftElement[]>()
  for (const one of elements) {
    const same = byMap.get(one.map)
    if (same) same.push(one)
    else byMap.set(one.map, [one])
  }
  return [...byMap.values()].flatMap(all =>
    Array.from({ length: Math.ceil(all.length / PORTION) }, (_, part) =>
      all.slice(part * PORTION, (part + 1) * PORTION),
    ),
  )
}

function elementsMessage(kind: number, table: string, elements: readonly NftElement[]): NetlinkMessage {
  const members = elements.map(one => encodeElement(one, kind === message.newSetElement))
  return {
    type: typeOf(kind),
    flags: kind === message.newSetElement ? NLM.create : 0,
    body: Buffer.concat([
      header(AF_INET),
      textAttribute(list.table, table),
      textAttribute(list.set, elements[0]!.map),
      nested(list.elements, ...members),
    ]),
  }
}

function encodeElement({ key, keyEnd, value }: NftElement, withData: boolean): Buffer {
  const parts = [nested(element.key, attribute(data.value, key))]
  if (keyEnd) parts.push(nested(element.keyEnd, attribute(data.value, keyEnd)))
  if (withData && value.to !== 'nothing') parts.push(nested(element.data, encodeValue(value)))
  return nested(LIST_MEMBER, ...parts)
}

function encodeValue(value: Exclude<NftValue, { to: 'nothing' }>): Buffer {
  if (value.to === 'data') return attribute(data.value, value.bytes)
  return nested(data.verdict, u32Attribute(verdict.code, GOTO), textAttribute(verdict.chain, value.chain))
}

/** Ask for all elements of a map. */
export function listElements(table: string, map: string): NetlinkMessage {
  const body = Buffer.concat([
    header(AF_INET),
    textAttribute(list.table, table),
    textAttribute(list.set, map),
  ])
  return { type: typeOf(message.getSetElement), flags: 0, body }
}

/** Ask for all chains of all tables of this family. */
export const listChains = (): NetlinkMessage => ({
  type: typeOf(message.getChain),
  flags: 0,
  body: header(AF_INET),
})

/** The chain's name when it is one of the table's. */
export function readChain(table: string, body: Buffer): string | undefined {
  const attributes = readAttributes(body.subarray(4))
  if (readText(attributes.get(chainAttribute.table)) !== table) return undefined
  return readText(attributes.get(chainAttribute.name))
}

/** The elements of one answer to listElements, as they were sent. */
export function readElements<M extends string>(map: M, body: Buffer): NftElement<M>[] {
  const members = readAttributes(body.subarray(4)).get(list.elements)
  return members ? listAttributes(members).map(([, member]) => readElement(map, member)) : []
}

function readElement<M extends string>(map: M, member: Buffer): NftElement<M> {
  const attributes = readAttributes(member)
  const bytesOf = (type: number) => {
    const found = attributes.get(type)
    return found && readAttributes(found).get(data.value)
  }
  const keyEnd = bytesOf(element.keyEnd)
  return {
    map,
    key: bytesOf(element.key) ?? Buffer.alloc(0),
    ...(keyEnd && { keyEnd }),
    value: readValue(attributes.get(element.data)),
  }
}

function readValue(found: Buffer | undefined): NftValue {
  if (!found) return { to: 'nothing' }
  const attributes = readAttributes(found)
  const target = attributes.get(data.verdict)
  if (target) return { to: 'chain', chain: readText(readAttributes(target).get(verdict.chain)) ?? '' }
  const bytes = attributes.get(data.value)
  return bytes ? { to: 'data', bytes } : { to: 'nothing' }
}

const readText = (bytes: Buffer | undefined): string | undefined =>
  bytes?.toString('utf8').replace(/\0+$/, '')
