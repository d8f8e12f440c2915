// A DNS message as an object (RFC 1035, RFC 6891).

/**
 * A domain name: labels joined by dots without one at the end, '' for the root. One character is one byte; a dot or
 * backslash inside a label has a backslash before it.
 */
export type Name = string

export interface Question {
  /** As asked, upper and lower case kept. */
  name: Name
  type: number
  class: number
}

export interface ResourceRecord {
  name: Name
  type: number
  class: number
  /** Seconds. */
  ttl: number
  /** Plain bytes and names, in the order of the type's data. */
  data: readonly (Uint8Array | Name)[]
}

/** EDNS(0), carried as an OPT record on the wire. */
export interface Edns {
  /** Largest UDP message that the sender takes. */
  udpSize: number
  version: number
  dnssecOk: boolean
}

export interface Message {
  id: number
  isResponse: boolean
  opcode: number
  authoritative: boolean
  truncated: boolean
  recursionDesired: boolean
  recursionAvailable: boolean
  authenticData: boolean
  checkingDisabled: boolean
  /** With EDNS up to 4095. */
  rcode: number
  questions: readonly Question[]
  answers: readonly ResourceRecord[]
  authorities: readonly ResourceRecord[]
  /** Without the OPT record. */
  additionals: readonly ResourceRecord[]
  edns?: Edns
}

/** Names differ only by the case of ASCII letters are the same name (RFC 4343). */
export function sameCase(name: Name): Name {
  return /[^\0-\x7f]/.test(name) ? name.replace(/[A-Z]/g, letter => letter.toLowerCase()) : name.toLowerCase()
}

/** The labels of a name, still escaped; none for the root. */
export function labelsOf(name: Name): string[] {
  if (name === '') return []
  return name.includes('\\') ? name.match(/(?:\\.|[^.\\])+/gs)! : name.split('.')
}
