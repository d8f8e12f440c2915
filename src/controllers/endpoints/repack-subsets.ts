// Subsets of an Endpoints object in their one canonical form: addresses that offer the same ports together, in order.
// Upstream: pkg/api/v1/endpoints/util.go RepackSubsets.
import type { EndpointAddress, EndpointPort, EndpointSubset } from '../../api/types/core-v1.ts'

interface Offer {
  port: EndpointPort | undefined
  /** Address → ready. Not ready wins where both are said. */
  addresses: Map<string, boolean>
}

export function repackSubsets(subsets: readonly EndpointSubset[]): EndpointSubset[] {
  const addresses = new Map<string, EndpointAddress>()
  const offers = new Map<string, Offer>()
  for (const subset of subsets) {
    for (const port of subset.ports?.length ? subset.ports : [undefined]) {
      const key = portKey(port)
      const offer = offers.get(key) ?? { port, addresses: new Map() }
      offers.set(key, offer)
      const note = (address: EndpointAddress, ready: boolean) => {
        const at = addressKey(address)
        if (!addresses.has(at)) addresses.set(at, address)
        offer.addresses.set(at, ready && offer.addresses.get(at) !== false)
      }
      for (const address of subset.addresses ?? []) note(address, true)
      for (const address of subset.notReadyAddresses ?? []) note(address, false)
    }
  }
  return [...groupByAddresses(offers).values()].map(group => toSubset(group, addresses)).toSorted(bySubset)
}

const addressKey = ({ ip, targetRef }: EndpointAddress) => `${ip} ${targetRef?.uid ?? ''}`
const portKey = (port: EndpointPort | undefined) =>
  port ? JSON.stringify([port.name ?? '', port.port, port.protocol, port.appProtocol ?? '']) : ''

function groupByAddresses(offers: ReadonlyMap<string, Offer>): Map<string, Offer[]> {
  return Map.groupBy([...offers.values()], offer =>
    [...offer.addresses]
      .map(([key, ready]) => `${key} ${ready}`)
      .toSorted()
      .join(),
  )
}

function toSubset(group: readonly Offer[], known: ReadonlyMap<string, EndpointAddress>): EndpointSubset {
  const inOrder = [...group[0]!.addresses].toSorted(([a], [b]) => (a < b ? -1 : 1))
  const of = (wanted: boolean) =>
    inOrder.filter(([, ready]) => ready === wanted).map(([key]) => known.get(key)!)
  const [addresses, notReadyAddresses] = [of(true), of(false)]
  const ports = group.flatMap(({ port }) => port ?? []).toSorted((a, b) => (portKey(a) < portKey(b) ? -1 : 1))
  return {
    ...(addresses.length > 0 && { addresses }),
    ...(notReadyAddresses.length > 0 && { notReadyAddresses }),
    ...(ports.length > 0 && { ports }),
  }
}

const bySubset = (a: EndpointSubset, b: EndpointSubset) => (subsetKey(a) < subsetKey(b) ? -1 : 1)
const subsetKey = ({ ports = [], addresses = [], notReadyAddresses = [] }: EndpointSubset) =>
  JSON.stringify([ports.map(portKey), addresses.map(addressKey), notReadyAddresses.map(addressKey)])
