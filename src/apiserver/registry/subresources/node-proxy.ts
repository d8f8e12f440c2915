// nodes/NAME/proxy/PATH: what the node's kubelet answers itself (/stats/summary, /metrics/resource …).

import type { ReadAccess } from '../../../api/node-access.ts'
import type { ApiRequest } from '../../../api/request.ts'
import { methodNotSupported, StatusError } from '../../../api/status-error.ts'
import type { SubresourceHandler } from './subresource.ts'

export function nodeProxyHandler(nodeAccess: Pick<ReadAccess, 'get'>): SubresourceHandler {
  return async ({ info, store }, request: ApiRequest) => {
    const { verb, name = '', subpath = '' } = request
    if (verb !== 'get') throw methodNotSupported(info, verb)
    // Throws NotFound for a node that is not there.
    store.get(undefined, name)
    const answer = await nodeAccess.get(name, `/${subpath}`)
    if (!answer) throw unknownPath()
    return { kind: 'stream', contentType: answer.contentType, body: once(answer.body) }
  }
}

async function* once(body: Uint8Array): AsyncIterable<Uint8Array> {
  yield body
}

function unknownPath(): StatusError {
  return new StatusError({
    code: 404,
    reason: 'NotFound',
    message: 'the server could not find the requested resource',
    details: {},
  })
}
