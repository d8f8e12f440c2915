// The scale subresource: replicas of a controller seen as an autoscaling/v1 Scale.
// Upstream: ScaleREST of deployments, replicasets, statefulsets and replicationcontrollers.
import type { KubeObject } from '../../../api/kube-object.ts'
import { labelSelectorText } from '../../../api/label-selector-text.ts'
import type { ApiRequest, ApiResponse } from '../../../api/request.ts'
import { invalid } from '../../../api/status-error.ts'
import type { Scale } from '../../../api/types/autoscaling-v1.ts'
import type { LabelSelector } from '../../../api/types/meta-v1.ts'
import { trackUpdate } from '../../managed-fields/field-manager.ts'
import { applyPatch } from '../../patch/apply-patch.ts'
import { type Endpoint, serve, trackedKind } from '../endpoint.ts'
import { answer, type ResourceHandler } from '../resource-handler.ts'
import type { WriteRequest } from '../write-request.ts'
import type { SubresourceHandler } from './subresource.ts'

const SCALE = { apiVersion: 'autoscaling/v1', kind: 'Scale' }

interface Scalable extends KubeObject {
  spec: { replicas?: number; selector?: LabelSelector | Record<string, string> }
  status?: { replicas?: number }
}

/** How a resource shows what its scale is about. */
export interface ScaleAccess {
  read(object: KubeObject): KubeObject
  /** A copy with so many replicas wanted. */
  withReplicas(object: KubeObject, replicas: number): KubeObject
}

const builtinAccess: ScaleAccess = {
  read: object => scaleOf(object as Scalable),
  withReplicas: (object, replicas) => ({ ...object, spec: { ...(object as Scalable).spec, replicas } }),
}

/** `accessOf`: for resources that keep it elsewhere. */
export function scaleHandler(
  handler: ResourceHandler,
  accessOf: (endpoint: Endpoint) => ScaleAccess | undefined = () => undefined,
): SubresourceHandler {
  return async (endpoint, request) => {
    const { namespace, name = '', verb } = request
    const access = accessOf(endpoint) ?? builtinAccess
    if (verb === 'get')
      return answer(access.read(await serve(endpoint, endpoint.store.get(namespace, name).object)))
    return change(handler, endpoint, request, access)
  }
}

async function change(
  handler: ResourceHandler,
  endpoint: Endpoint,
  request: ApiRequest,
  access: ScaleAccess,
): Promise<ApiResponse> {
  const write = handler.begin(endpoint, request)
  const { object } = await endpoint.store.update({
    namespace: request.namespace,
    name: write.name,
    context: write.context,
    ...(request.patch && { attempts: 5 }),
    transform: async old => {
      const before = await serve(endpoint, old)
      const scale = await wanted(write, request, access.read(before))
      const { resourceVersion } = scale.metadata
      const changed = access.withReplicas(before, scale.spec.replicas ?? 0)
      const object = { ...changed, metadata: { ...before.metadata, resourceVersion } } as KubeObject
      trackUpdate(object, before, write.writer, trackedKind(endpoint))
      return endpoint.conversion ? endpoint.conversion.toStored(object) : object
    },
    validate: (final, old) => write.validate('UPDATE', access.read(final), old && access.read(old)),
  })
  return answer(access.read(await serve(endpoint, object)), 200, write.warnings)
}

async function wanted(write: WriteRequest, { body, patch }: ApiRequest, current: KubeObject): Promise<Scale> {
  const object = write.decode(patch ? applyPatch(current, patch) : body, SCALE)
  write.checkTarget(object)
  await write.admit('UPDATE', object, current)
  const scale = object as unknown as Scale
  if ((scale.spec.replicas ?? 0) < 0) {
    throw invalid({ group: 'autoscaling', kind: 'Scale' }, current.metadata.name, [
      {
        reason: 'FieldValueInvalid',
        field: 'spec.replicas',
        message: `Invalid value: ${scale.spec.replicas}: must be greater than or equal to 0`,
      },
    ])
  }
  return scale
}

function scaleOf({ metadata, spec, status }: Scalable): KubeObject {
  const { name, namespace, uid, resourceVersion, creationTimestamp } = metadata
  const selector = selectorText(spec.selector)
  return {
    ...SCALE,
    metadata: { name, ...(namespace && { namespace }), uid, resourceVersion, creationTimestamp },
    spec: { ...(spec.replicas && { replicas: spec.replicas }) },
    status: { replicas: status?.replicas ?? 0, ...(selector && { selector }) },
  }
}

function selectorText(selector: Scalable['spec']['selector']): string {
  if (!selector) return ''
  const isPlain = !('matchLabels' in selector) && !('matchExpressions' in selector)
  return labelSelectorText((isPlain ? { matchLabels: selector } : selector) as LabelSelector)
}
