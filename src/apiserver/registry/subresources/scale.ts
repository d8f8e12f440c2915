// The scale subresource: replicas of a controller seen as an autoscaling/v1 Scale.
// Upstream: ScaleREST of deployments, replicasets, statefulsets and replicationcontrollers.
import type { KubeObject } from '../../../api/kube-object.ts'
import type { ApiRequest, ApiResponse } from '../../../api/request.ts'
import { invalid } from '../../../api/status-error.ts'
import type { Scale } from '../../../api/types/autoscaling-v1.ts'
import type { LabelSelector } from '../../../api/types/meta-v1.ts'
import { trackUpdate } from '../../managed-fields/field-manager.ts'
import { applyPatch } from '../../patch/apply-patch.ts'
import type { Endpoint } from '../endpoint.ts'
import { answer, type ResourceHandler } from '../resource-handler.ts'
import type { WriteRequest } from '../write-request.ts'
import type { SubresourceHandler } from './subresource.ts'

const SCALE = { apiVersion: 'autoscaling/v1', kind: 'Scale' }

interface Scalable extends KubeObject {
  spec: { replicas?: number; selector?: LabelSelector | Record<string, string> }
  status?: { replicas?: number }
}

export function scaleHandler(handler: ResourceHandler): SubresourceHandler {
  return async (endpoint, request) => {
    const { namespace, name = '', verb } = request
    if (verb === 'get') return answer(scaleOf(endpoint.store.get(namespace, name).object as Scalable))
    return change(handler, endpoint, request)
  }
}

async function change(
  handler: ResourceHandler,
  endpoint: Endpoint,
  request: ApiRequest,
): Promise<ApiResponse> {
  const write = handler.begin(endpoint, request)
  const { object } = await endpoint.store.update({
    namespace: request.namespace,
    name: write.name,
    context: write.context,
    ...(request.patch && { attempts: 5 }),
    transform: async old => {
      const before = old as Scalable
      const scale = await wanted(write, request, before)
      const object = {
        ...before,
        metadata: { ...before.metadata, resourceVersion: scale.metadata.resourceVersion },
        spec: { ...before.spec, replicas: scale.spec.replicas ?? 0 },
      }
      trackUpdate(object, before, write.writer, true)
      return object
    },
    validate: (final, old) =>
      write.validate('UPDATE', scaleOf(final as Scalable), old && scaleOf(old as Scalable)),
  })
  return answer(scaleOf(object as Scalable), 200, write.warnings)
}

async function wanted(write: WriteRequest, { body, patch }: ApiRequest, before: Scalable): Promise<Scale> {
  const current = scaleOf(before)
  const object = write.decode(patch ? applyPatch(current, patch) : body, SCALE)
  write.checkTarget(object)
  await write.admit('UPDATE', object, current)
  const scale = object as unknown as Scale
  if ((scale.spec.replicas ?? 0) < 0) {
    throw invalid({ group: 'autoscaling', kind: 'Scale' }, before.metadata.name, [
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

/** A selector as clients write it into a query. Upstream: metav1.LabelSelectorAsSelector().String(). */
function selectorText(selector: Scalable['spec']['selector']): string {
  if (!selector) return ''
  const isPlain = !('matchLabels' in selector) && !('matchExpressions' in selector)
  const { matchLabels, matchExpressions = [] } = (
    isPlain ? { matchLabels: selector } : selector
  ) as LabelSelector
  const equal = Object.entries(matchLabels ?? {}).map(([key, value]) => ({ key, text: `${key}=${value}` }))
  const others = matchExpressions.map(({ key, operator, values = [] }) => ({
    key,
    text: expression(key, operator, values),
  }))
  return [...equal, ...others]
    .sort((a, b) => (a.key < b.key ? -1 : 1))
    .map(({ text }) => text)
    .join(',')
}

function expression(key: string, operator: string, values: readonly string[]): string {
  if (operator === 'Exists') return key
  if (operator === 'DoesNotExist') return `!${key}`
  return `${key} ${operator === 'In' ? 'in' : 'notin'} (${[...values].sort().join(',')})`
}
