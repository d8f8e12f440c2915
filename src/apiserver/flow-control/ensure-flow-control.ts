// Creates the priority levels and flow schemas that are missing. What people changed stays as it is.
import type { KubeObject } from '../../api/kube-object.ts'
import type { ApiHandler, UserInfo } from '../../api/request.ts'
import { isAlreadyExists } from '../../api/status-error.ts'
import { flowSchemas, priorityLevels } from './default-flow-control.ts'

const SERVER: UserInfo = { name: 'system:apiserver', groups: ['system:masters'] }
const ANNOTATIONS = { 'apf.kubernetes.io/autoupdate-spec': 'true' }

export async function ensureFlowControl(handle: ApiHandler): Promise<void> {
  const levels = Object.entries(priorityLevels).map(([name, spec]) =>
    create(handle, 'prioritylevelconfigurations', name, spec),
  )
  await Promise.all(levels)
  const schemas = Object.entries(flowSchemas).map(async ([name, spec]) => {
    const made = await create(handle, 'flowschemas', name, spec)
    if (made) await settle(handle, made, spec.priorityLevelConfiguration.name)
  })
  await Promise.all(schemas)
}

const where = (resource: string) =>
  ({ user: SERVER, group: 'flowcontrol.apiserver.k8s.io', version: 'v1', resource }) as const

/** undefined: it was there already. */
async function create(
  handle: ApiHandler,
  resource: string,
  name: string,
  spec: object,
): Promise<KubeObject | undefined> {
  const body = { metadata: { name, annotations: { ...ANNOTATIONS } }, spec: structuredClone(spec) }
  try {
    const answer = await handle({ ...where(resource), verb: 'create', body })
    return answer.kind === 'object' ? answer.object : undefined
  } catch (error) {
    if (isAlreadyExists(error)) return undefined
    throw error
  }
}

/** Tells that the level is there. */
async function settle(handle: ApiHandler, schema: KubeObject, level: string): Promise<void> {
  const condition = {
    type: 'Dangling',
    status: 'False',
    lastTransitionTime: schema.metadata.creationTimestamp,
    reason: 'Found',
    message: `This FlowSchema references the PriorityLevelConfiguration object named ${JSON.stringify(level)} and it exists`,
  }
  const { name } = schema.metadata
  const body = { ...structuredClone(schema), status: { conditions: [condition] } }
  await handle({ ...where('flowschemas'), verb: 'update', subresource: 'status', name, body })
}
