// Creates the priority levels and flow schemas that are missing. What people changed stays as it is.
import { flowSchemas, priorityLevels } from '../../api/flow-control/bootstrap.ts'
import type { ApiHandler, UserInfo } from '../../api/request.ts'
import { isAlreadyExists } from '../../api/status-error.ts'

export const SERVER: UserInfo = { name: 'system:apiserver', groups: ['system:masters'] }
const ANNOTATIONS = { 'apf.kubernetes.io/autoupdate-spec': 'true' }

export async function ensureFlowControl(handle: ApiHandler): Promise<void> {
  const levels = Object.entries(priorityLevels).map(([name, spec]) =>
    create(handle, 'prioritylevelconfigurations', name, spec),
  )
  await Promise.all(levels)
  const schemas = Object.entries(flowSchemas).map(([name, spec]) => create(handle, 'flowschemas', name, spec))
  await Promise.all(schemas)
}

const where = (resource: string) =>
  ({
    user: SERVER,
    userAgent: 'api-priority-and-fairness-config-producer-v1',
    group: 'flowcontrol.apiserver.k8s.io',
    version: 'v1',
    resource,
  }) as const

async function create(handle: ApiHandler, resource: string, name: string, spec: object): Promise<void> {
  const body = { metadata: { name, annotations: { ...ANNOTATIONS } }, spec: structuredClone(spec) }
  try {
    await handle({ ...where(resource), verb: 'create', body })
  } catch (error) {
    if (!isAlreadyExists(error)) throw error
  }
}
