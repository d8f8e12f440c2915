// nodes/proxy without a port of another server: the node's kubelet answers, which is reached without a socket.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { NodeAccess } from '../../api/node-access.ts'
import type { UpgradeRequest } from '../streaming/upgrade.ts'
import {
  type StreamingHandlers,
  type StreamingParts,
  streamingHandlers,
} from '../streaming/upgrade-handlers.ts'

export async function askKubelet(
  nodeAccess: Pick<NodeAccess, 'ask'>,
  nodeName: string,
  target: string,
  { request, response, signal }: { request: IncomingMessage; response: ServerResponse; signal: AbortSignal },
): Promise<void> {
  const { pathname, searchParams } = parse(target)
  const method = request.method ?? 'GET'
  const { code, contentType, body } = await nodeAccess.ask(nodeName, {
    method,
    path: pathname,
    query: searchParams,
    signal,
  })
  response.removeHeader('Cache-Control')
  response.writeHead(code, { 'Content-Type': contentType })
  if (method === 'HEAD') response.end()
  else if (body instanceof Uint8Array) response.end(body)
  else await pipeline(Readable.from(body, { objectMode: false }), response)
}

/** /exec, /attach and /portForward of a kubelet, whose queries name the streams in a way of their own. */
export function kubeletUpgrade(
  parts: StreamingParts,
  target: string,
  upgrade: UpgradeRequest,
): Promise<void> | undefined {
  const { pathname, searchParams } = parse(target)
  const [, kind = '', namespace = '', name = '', container] =
    /^\/(exec|attach|portForward)\/([^/]+)\/([^/]+)(?:(?:\/[^/]+)?\/([^/]+))?$/.exec(pathname) ?? []
  const handler = HANDLER_OF[kind]
  if (!handler) return undefined
  const query = new URLSearchParams()
  for (const [key, value] of searchParams) query.append(NAME_OF[key] ?? key, value)
  if (container) query.set('container', container)
  const { info } = upgrade
  const inside = {
    ...info,
    verb: 'create',
    resource: 'pods',
    subresource: kind.toLowerCase(),
    namespace,
    name,
  }
  return streamingHandlers(parts)[handler]({ ...upgrade, info: inside, query })
}

const HANDLER_OF: Readonly<Record<string, keyof StreamingHandlers>> = {
  exec: 'exec',
  attach: 'attach',
  portForward: 'portForward',
}
const NAME_OF: Readonly<Record<string, string>> = {
  input: 'stdin',
  output: 'stdout',
  error: 'stderr',
  port: 'ports',
}

function parse(target: string): { pathname: string; searchParams: URLSearchParams } {
  const mark = target.indexOf('?')
  return mark < 0
    ? { pathname: target, searchParams: new URLSearchParams() }
    : { pathname: target.slice(0, mark), searchParams: new URLSearchParams(target.slice(mark + 1)) }
}
