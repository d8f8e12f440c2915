import type { ApiHandler, UserInfo } from '../../api/request.ts'
import { isNotFound } from '../../api/status-error.ts'
import type { FindBoundObject } from './service-account-tokens.ts'

const SERVER: UserInfo = { name: 'system:apiserver', groups: ['system:masters'] }

/** Looks bound objects up through the registry. `handle` is asked for each time: the two parts need each other. */
export function findBoundObjectThrough(handle: () => ApiHandler): FindBoundObject {
  return async (resource, namespace, name) => {
    const where = namespace ? { namespace, name } : { name }
    try {
      const request = { user: SERVER, verb: 'get', group: '', version: 'v1', resource, ...where } as const
      const answer = await handle()(request)
      return answer.kind === 'object' ? answer.object : undefined
    } catch (error) {
      if (isNotFound(error)) return undefined
      throw error
    }
  }
}
