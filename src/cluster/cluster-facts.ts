// Facts that a cluster chooses at its first start and keeps: its address ranges and its port.
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { networkInterfaces } from 'node:os'
import { dirname } from 'node:path'
import { formatCidr, parseCidr } from '../api/ip.ts'

export interface ClusterFacts {
  name: string
  /** The node's pod range: '10.244.0.0/24'. */
  podCidr: string
  /** '10.96.0.0/16'. */
  serviceCidr: string
  /** The API server's port; kept so that the kubeconfig stays true. */
  port: number
}

/** From which Nodes get their pod ranges: the node's own is its first. */
export const clusterPodCidr = ({ podCidr }: Pick<ClusterFacts, 'podCidr'>): string =>
  formatCidr({ ...parseCidr(podCidr)!, bits: CLUSTER_BITS })

const CLUSTER_BITS = 16

export function readFacts(file: string): ClusterFacts | undefined {
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as ClusterFacts) : undefined
}

export function writeFacts(file: string, facts: ClusterFacts): void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
  writeFileSync(`${file}.new`, `${JSON.stringify(facts, undefined, 2)}\n`, { mode: 0o600 })
  renameSync(`${file}.new`, file)
}

/**
 * Ranges that no interface or route of this machine uses yet: the usual 10.244.0.0/24 and 10.96.0.0/16 if free,
 * otherwise the next ones, so that clusters side by side and existing networks do not clash. `claim` says whether a
 * range is still to be had.
 */
export function chooseRanges(
  taken: readonly Range[] = takenRanges(),
  claim: (podCidr: string) => boolean = () => true,
): Pick<ClusterFacts, 'podCidr' | 'serviceCidr'> {
  for (let step = 0; step < 64; step++) {
    const pods = range(`10.${244 - step}.0.0`, 24)
    const services = range(`10.${96 + step}.0.0`, 16)
    const isFree = !taken.some(other => overlaps(other, pods) || overlaps(other, services))
    if (isFree && claim(pods.text)) return { podCidr: pods.text, serviceCidr: services.text }
  }
  throw new Error('no free address range was found between 10.96.0.0 and 10.244.0.0')
}

/** An IPv4 range as numbers; `end` is its last address. */
export interface Range {
  text: string
  start: number
  end: number
}

export function range(address: string, prefix: number): Range {
  const size = 2 ** (32 - prefix)
  const start = Math.floor(toNumber(address) / size) * size
  return { text: `${address}/${prefix}`, start, end: start + size - 1 }
}

const overlaps = (a: Range, b: Range) => a.start <= b.end && b.start <= a.end

const toNumber = (address: string) => address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0)

/** Ranges of the machine's interfaces and routes, the default route left out. */
function takenRanges(): Range[] {
  const own = Object.values(networkInterfaces())
    .flatMap(addresses => addresses ?? [])
    .filter(address => address.family === 'IPv4')
    .map(address => range(address.address, prefixLength(toNumber(address.netmask))))
  return [...own, ...routes()]
}

function routes(): Range[] {
  if (!existsSync('/proc/net/route')) return []
  return readFileSync('/proc/net/route', 'utf8')
    .split('\n')
    .slice(1)
    .map(line => line.split('\t'))
    .filter(fields => fields.length > 7 && fields[7] !== '00000000')
    .map(fields => range(fromLittleEndian(fields[1]!), prefixLength(toNumber(fromLittleEndian(fields[7]!)))))
}

/** '0000F40A' (as /proc/net/route writes it) is 10.244.0.0. */
const fromLittleEndian = (hex: string) =>
  hex
    .match(/../g)!
    .reverse()
    .map(byte => Number.parseInt(byte, 16))
    .join('.')

const prefixLength = (mask: number) => mask.toString(2).replace(/0+$/, '').length
