// Lets a client in this process read what other servers serve: custom and external metrics.
import type { ApiHandler } from '../api/request.ts'
import type { Aggregator } from '../apiserver/aggregation/aggregator.ts'
import { toHttp } from '../client/http-request.ts'

/** Gets and lists of a group version that an APIService hands to another server go there, as the user who asks. */
export function withAggregatedReads(handle: ApiHandler, aggregator: Pick<Aggregator, 'reader'>): ApiHandler {
  return async request => {
    const { verb, group, version, user, signal } = request
    const read = verb === 'get' || verb === 'list' ? aggregator.reader(group, version) : undefined
    if (!read) return handle(request)
    return { kind: 'object', code: 200, object: await read(toHttp(request).path, user, signal) }
  }
}
