// Which range of Pod addresses a Node gets. Pure.
import { type Cidr, cidrContains, networkOf, widthOf } from '../../api/ip.ts'

/** The first range with a prefix of `bits` in `cluster` that overlaps none of `used`; undefined when none is left. */
export function freePodRange(cluster: Cidr, bits: number, used: readonly Cidr[]): Cidr | undefined {
  const count = 2 ** (bits - cluster.bits)
  const taken = takenOf(cluster, bits, used)
  for (let index = 0; index < count; index++) {
    if (taken.has(index)) continue
    const value = networkOf(cluster).value + (BigInt(index) << BigInt(widthOf(cluster.ip) - bits))
    return { ip: { family: cluster.ip.family, value }, bits }
  }
  return undefined
}

/** Which of the cluster's ranges of that size, counted from its first, are not free. */
function takenOf(cluster: Cidr, bits: number, used: readonly Cidr[]): Set<number> {
  const shift = BigInt(widthOf(cluster.ip) - bits)
  const first = networkOf(cluster).value >> shift
  const taken = new Set<number>()
  for (const other of used) {
    const isAround = cidrContains(other, cluster.ip) && other.bits < cluster.bits
    if (!isAround && !cidrContains(cluster, other.ip)) continue
    const range = isAround ? cluster : other
    const from = Number((networkOf(range).value >> shift) - first)
    for (let index = from; index < from + 2 ** Math.max(0, bits - range.bits); index++) taken.add(index)
  }
  return taken
}
