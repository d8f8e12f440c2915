// An Endpoints object shows a thousand addresses at most, ready ones first, each subset its share of them.
// Upstream: endpoints_controller.go truncateEndpoints.
import type { EndpointAddress, EndpointSubset } from '../../api/types/core-v1.ts'

export const MOST_ADDRESSES = 1_000

/** The same list when nothing has to go. */
export function truncateSubsets(subsets: EndpointSubset[], most = MOST_ADDRESSES): EndpointSubset[] {
  const count = (list: keyof Pick<EndpointSubset, 'addresses' | 'notReadyAddresses'>) =>
    subsets.reduce((sum, subset) => sum + (subset[list]?.length ?? 0), 0)
  const [ready, notReady] = [count('addresses'), count('notReadyAddresses')]
  if (ready + notReady <= most) return subsets
  const tooManyReady = ready > most
  const share = shares(tooManyReady ? ready : notReady, tooManyReady ? most : most - ready)
  return subsets.map(({ addresses = [], notReadyAddresses = [], ...subset }) => {
    const kept = tooManyReady ? share(addresses) : addresses
    const keptNotReady = tooManyReady ? [] : share(notReadyAddresses)
    return {
      ...(kept.length > 0 && { addresses: kept }),
      ...(keptNotReady.length > 0 && { notReadyAddresses: keptNotReady }),
      ...subset,
    }
  })
}

/** Shares are rounded up, so the last one may get less. */
function shares(total: number, most: number): (list: readonly EndpointAddress[]) => EndpointAddress[] {
  let left = most
  return list => {
    const kept = list.slice(0, Math.min(left, Math.ceil((list.length / total) * most)))
    left -= kept.length
    return kept
  }
}
