// Short ways to ask in tests, and to read answers as lines of a zone file.
import type { Message, Question, ResourceRecord } from '../wire/message.ts'
import { CLASS, QUERY, TYPE } from '../wire/record-types.ts'

export type TypeName = keyof typeof TYPE

export const question = (name: string, type: TypeName): Question => ({
  name,
  type: TYPE[type],
  class: CLASS.in,
})

export const query = (name: string, type: TypeName, more: Partial<Message> = {}): Message => ({
  id: 4711,
  isResponse: false,
  opcode: QUERY,
  authoritative: false,
  truncated: false,
  recursionDesired: true,
  recursionAvailable: false,
  authenticData: false,
  checkingDisabled: false,
  rcode: 0,
  questions: [question(name, type)],
  answers: [],
  authorities: [],
  additionals: [],
  ...more,
})

/** 'web.a.svc.cluster.local 5 A 10.96.0.7', 'x 5 SRV 0 50 80 web.a.svc.cluster.local'. */
export function line({ name, type, ttl, data }: ResourceRecord): string {
  const typeName = (Object.keys(TYPE) as TypeName[]).find(key => TYPE[key] === type) ?? `type${type}`
  const words = data.map(part => (typeof part === 'string' ? part : numbers(typeName, Buffer.from(part))))
  return [name, ttl, typeName.toUpperCase(), ...words].join(' ')
}

export const lines = (records: readonly ResourceRecord[]) => records.map(line)

function numbers(type: TypeName | `type${number}`, bytes: Buffer): string {
  if (type === 'a') return bytes.join('.')
  if (type === 'aaaa') return bytes.toString('hex').match(/.{4}/g)!.join(':')
  if (type === 'txt') return JSON.stringify(bytes.toString('latin1', 1))
  if (type === 'srv') return [0, 2, 4].map(at => bytes.readUInt16BE(at)).join(' ')
  if (type === 'soa') return [0, 4, 8, 12, 16].map(at => bytes.readUInt32BE(at)).join(' ')
  return bytes.toString('hex')
}
