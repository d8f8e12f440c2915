// How many seats a request takes. Pure. Upstream: pkg/util/flowcontrol/request, with SizeBasedListCostEstimate and
// WatchList on, as they are by default.
import type { RequestInfo, ResourceRequestInfo } from '../http/request-info.ts'
import { isTrue } from '../http/request-info.ts'
import type { Work } from './ticket.ts'

const MOST_LIST_SEATS = 100
const MOST_WRITE_SEATS = 10
const BYTES_PER_SEAT = 100_000
/** What a list out of memory is thought to take at once at most, since it is written piece by piece. */
const MOST_CACHED_BYTES = 1_000_000
const WATCHES_PER_SEAT = 10
/** How long telling watchers of one write takes. */
const TELLING_MS = 5

const ONE_SEAT: Work = { initialSeats: 1, finalSeats: 0, lingerMs: 0 }

export interface Stored {
  count: number
  averageBytes: number
}

export interface Known {
  /** What is stored of the resource; undefined when nothing is known of it. */
  stored: (info: ResourceRequestInfo) => Stored | undefined
  watchers: (info: ResourceRequestInfo) => number
  /** The most that one request may take in its level; undefined: no limit of its own. */
  mostSeats: number | undefined
}

export function estimateWork(info: RequestInfo, query: URLSearchParams, known: Known): Work {
  if (!info.isResource) return ONE_SEAT
  switch (info.verb) {
    case 'list':
      return listWork(info, query, known)
    case 'watch':
      return isTrue(query.getAll('sendInitialEvents')) ? listWork(info, query, known) : ONE_SEAT
    case 'create':
    case 'update':
    case 'patch':
    case 'delete':
      return writeWork(info, known)
    default:
      return ONE_SEAT
  }
}

function listWork(info: ResourceRequestInfo, query: URLSearchParams, known: Known): Work {
  const stored = known.stored(info)
  if (!stored) return ONE_SEAT
  const isCached = info.verb === 'watch' || isFromMemory(query)
  const bytes = objectsAtOnce(info, query, stored.count, isCached) * stored.averageBytes
  const seats = Math.ceil((isCached ? Math.min(bytes, MOST_CACHED_BYTES) : bytes) / BYTES_PER_SEAT)
  const most = Math.min(known.mostSeats ?? MOST_LIST_SEATS, MOST_LIST_SEATS)
  return { initialSeats: Math.min(Math.max(1, seats), most), finalSeats: 0, lingerMs: 0 }
}

function objectsAtOnce(
  { name }: ResourceRequestInfo,
  query: URLSearchParams,
  count: number,
  isCached: boolean,
): number {
  if (name) return 1
  const limit = Number(query.get('limit') ?? 0)
  const asked = limit > 0 && limit < count ? limit : count
  const isSelected = Boolean(query.get('fieldSelector') || query.get('labelSelector'))
  return isSelected && !isCached ? Math.max(asked, count / 2) : asked
}

/** Whether upstream's watch cache answers it. Upstream: delegator.ShouldDelegateListMeta. */
function isFromMemory(query: URLSearchParams): boolean {
  const match = query.get('resourceVersionMatch') ?? ''
  const revision = query.get('resourceVersion') ?? ''
  if (match === 'NotOlderThan') return true
  if (match !== '' || query.get('continue')) return false
  return revision === '' || revision === '0' || !(Number(query.get('limit') ?? 0) > 0)
}

/** The seats for telling watchers are held after the answer; what is too wide becomes longer. */
function writeWork(info: ResourceRequestInfo, known: Known): Work {
  // A token makes no event, though many may watch the accounts.
  if (info.resource === 'serviceaccounts' && info.subresource === 'token') return ONE_SEAT
  const watchers = known.watchers(info)
  if (watchers < WATCHES_PER_SEAT) return ONE_SEAT
  const wanted = Math.ceil(watchers / WATCHES_PER_SEAT)
  const finalSeats = Math.min(wanted, known.mostSeats ?? MOST_WRITE_SEATS, MOST_WRITE_SEATS)
  return { initialSeats: 1, finalSeats, lingerMs: (wanted * TELLING_MS) / finalSeats }
}
