import type { ApiRequest, ApiResponse } from '../../../api/request.ts'
import type { Endpoint } from '../endpoint.ts'

/** Answers a subresource that is more than an update of the object with another strategy. */
export type SubresourceHandler = (
  endpoint: Endpoint,
  request: ApiRequest,
) => Promise<ApiResponse> | ApiResponse
