import type { KubeObject } from '../../api/kube-object.ts'
import type { ApiHandler, UserInfo } from '../../api/request.ts'
import type { ResourceQuotaParts } from './resource-quota.ts'

const SERVER: UserInfo = { name: 'system:apiserver', groups: ['system:masters'] }

/** Writes through the registry. `handle` is asked for each time: the two parts need each other. */
export function quotaStatusThrough(handle: () => ApiHandler): ResourceQuotaParts['updateStatus'] {
  return async quota => {
    const { namespace = '', name } = quota.metadata
    await handle()({
      user: SERVER,
      userAgent: 'kube-apiserver',
      verb: 'update',
      group: '',
      version: 'v1',
      resource: 'resourcequotas',
      subresource: 'status',
      namespace,
      name,
      body: structuredClone(quota) as unknown as KubeObject,
    })
  }
}
