// Requests to subresources that are no objects: their answer is whatever stands behind them.
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { UserInfo } from '../../api/request.ts'
import type { ResourceRequestInfo } from './request-info.ts'

/** Who asks may do so; the body is unread. */
export interface ConnectRequest {
  request: IncomingMessage
  response: ServerResponse
  info: ResourceRequestInfo
  query: URLSearchParams
  user: UserInfo
  /** Aborted when the client goes away or the server closes. */
  signal: AbortSignal
}

/** Writes the whole answer, or throws StatusError before its first byte. */
export type ConnectHandler = (connect: ConnectRequest) => Promise<void>
