// Numbers of the DNS protocol that this server names (IANA's DNS parameters).

export const TYPE = {
  a: 1,
  ns: 2,
  cname: 5,
  soa: 6,
  ptr: 12,
  hinfo: 13,
  mx: 15,
  txt: 16,
  rp: 17,
  afsdb: 18,
  aaaa: 28,
  srv: 33,
  kx: 36,
  dname: 39,
  opt: 41,
  ixfr: 251,
  axfr: 252,
  any: 255,
} as const

export const CLASS = { in: 1, any: 255 } as const

export const RCODE = {
  noError: 0,
  formatError: 1,
  serverFailure: 2,
  nameError: 3,
  notImplemented: 4,
  refused: 5,
  badVersion: 16,
} as const

/** Opcode of an ordinary query. */
export const QUERY = 0

/**
 * Where names are in the data of the types that may hold compressed ones: a number is that many plain bytes, 'name'
 * is a name. Data of every other type is opaque (RFC 3597).
 */
export const DATA_LAYOUT: ReadonlyMap<number, readonly (number | 'name')[]> = new Map([
  [TYPE.ns, ['name']],
  [TYPE.cname, ['name']],
  [TYPE.soa, ['name', 'name', 20]],
  [TYPE.ptr, ['name']],
  [TYPE.mx, [2, 'name']],
  [TYPE.rp, ['name', 'name']],
  [TYPE.afsdb, [2, 'name']],
  [TYPE.srv, [6, 'name']],
  [TYPE.kx, [2, 'name']],
  [TYPE.dname, ['name']],
])

/** Only the types of RFC 1035 may be written with compressed names. */
export const COMPRESSED_DATA: ReadonlySet<number> = new Set([
  TYPE.ns,
  TYPE.cname,
  TYPE.soa,
  TYPE.ptr,
  TYPE.mx,
])
