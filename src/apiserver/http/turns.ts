// A request's turn, as far as HTTP has to do with it: how long it may wait, when a watch has begun, how a refusal reads.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { parseGoDuration } from '../../api/duration.ts'
import type { KubeObject } from '../../api/kube-object.ts'
import type { RequestOptions } from '../../api/request.ts'
import type { TooManyRequests, Turn } from '../flow-control/turn.ts'
import type { RequestInfo } from './request-info.ts'
import { sendText } from './respond.ts'

/** Upstream's --request-timeout; also for what upstream calls long-running, as far as waiting goes. */
export const REQUEST_TIMEOUT_MS = 60_000
const LONGEST_WAIT_MS = 60_000

/** A quarter of the time that the request has. Upstream: getRequestWaitContext in filters/priority-and-fairness.go. */
export function longestWait({ verb }: RequestInfo, query: URLSearchParams): number {
  const asked = verb === 'watch' ? undefined : parseGoDuration(query.get('timeout') ?? '')
  const time = asked && asked > 0 ? Math.min(asked, REQUEST_TIMEOUT_MS) : REQUEST_TIMEOUT_MS
  return Math.min(LONGEST_WAIT_MS, time / 4)
}

/** Gives the seat back when the watch has begun: at once, or when all that is there already has been sent. */
export function leaveWhenBegun(
  convert: (object: KubeObject) => object,
  { sendInitialEvents, allowWatchBookmarks }: RequestOptions = {},
  turn?: Turn,
): (object: KubeObject) => object {
  if (sendInitialEvents && allowWatchBookmarks && turn) {
    return object => {
      if (object.metadata.annotations?.['k8s.io/initial-events-end']) turn.leave()
      return convert(object)
    }
  }
  turn?.leave()
  return convert
}

/** Plain text, as upstream says it. */
export function sendTooManyRequests(
  request: IncomingMessage,
  response: ServerResponse,
  { message, retryAfterSeconds }: TooManyRequests,
): Promise<void> {
  response.setHeader('Retry-After', String(retryAfterSeconds))
  return sendText(request, response, 429, `${message}\n`)
}
