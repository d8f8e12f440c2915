// pods/binding: puts a pod on a node. Upstream: pkg/registry/core/pod/storage/storage.go BindingREST.
import type { KubeObject } from '../../../api/kube-object.ts'
import type { ApiRequest, ApiResponse } from '../../../api/request.ts'
import { conflict, type FieldErrorLike, invalid } from '../../../api/status-error.ts'
import type { Binding, Pod } from '../../../api/types/core-v1.ts'
import type { Endpoint } from '../endpoint.ts'
import { formatTime } from '../object-time.ts'
import { answer, type ResourceHandler } from '../resource-handler.ts'
import { asPod } from '../strategies/core/pod-strategy.ts'
import { plainSuccess } from '../success-status.ts'
import type { SubresourceHandler } from './subresource.ts'

export function bindingHandler(handler: ResourceHandler): SubresourceHandler {
  return async (endpoint, request) => {
    const write = handler.begin(endpoint, request)
    const binding = write.decode(request.body, { apiVersion: 'v1', kind: 'Binding' })
    write.checkTarget(binding)
    checkBinding(binding as unknown as Binding)
    await write.admit('CREATE', binding)
    await write.validate('CREATE', binding)
    await bind(endpoint, request, binding as unknown as Binding, write.context)
    return created()
  }
}

function created(): ApiResponse {
  return answer(plainSuccess(201), 201)
}

function checkBinding({ metadata, target }: Binding): void {
  const errors: FieldErrorLike[] = []
  if (target.kind && target.kind !== 'Node') {
    errors.push({
      reason: 'FieldValueNotSupported',
      field: 'target.kind',
      message: `Unsupported value: ${JSON.stringify(target.kind)}: supported values: "Node", "<empty>"`,
    })
  }
  if (!target.name)
    errors.push({ reason: 'FieldValueRequired', field: 'target.name', message: 'Required value' })
  if (errors.length > 0) throw invalid({ group: '', kind: 'Binding' }, metadata.name, errors)
}

async function bind(
  endpoint: Endpoint,
  { namespace, name = '' }: ApiRequest,
  binding: Binding,
  context: Parameters<Endpoint['store']['update']>[0]['context'],
): Promise<void> {
  const { uid, resourceVersion } = binding.metadata
  await endpoint.store.update({
    namespace,
    name,
    context,
    strategy: {
      allowUnconditionalUpdate: true,
      allowCreateOnUpdate: false,
      prepareForUpdate: () => {},
      validateUpdate: () => [],
    },
    validate: () => {},
    transform(old) {
      const pod = asPod(old)
      if (uid && uid !== pod.metadata.uid) {
        throw conflict(
          endpoint.info,
          name,
          `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${pod.metadata.uid}`,
        )
      }
      if (resourceVersion && resourceVersion !== pod.metadata.resourceVersion) {
        throw conflict(
          endpoint.info,
          name,
          `Precondition failed: ResourceVersion in precondition: ${resourceVersion}, ResourceVersion in object meta: ${pod.metadata.resourceVersion}`,
        )
      }
      return assign(pod, binding, endpoint, context.now)
    },
  })
}

/** Upstream: BindingREST.setPodNodeAndMetadata. */
function assign(pod: Pod, binding: Binding, endpoint: Endpoint, now: number): KubeObject {
  const refuse = (why: string) =>
    conflict({ group: '', resource: `${endpoint.info.resource}/binding` }, pod.metadata.name, why)
  if (pod.metadata.deletionTimestamp)
    throw refuse(`pod ${pod.metadata.name} is being deleted, cannot be assigned to a host`)
  if (pod.spec.nodeName) {
    throw refuse(`pod ${pod.metadata.name} is already assigned to node ${JSON.stringify(pod.spec.nodeName)}`)
  }
  if (pod.spec.schedulingGates?.length)
    throw refuse(`pod ${pod.metadata.name} has non-empty .spec.schedulingGates`)
  const { annotations, labels } = binding.metadata
  // What was promised before is over (feature ClearingNominatedNodeNameAfterBinding).
  const { nominatedNodeName: _, ...status } = pod.status
  const assigned = {
    ...pod,
    metadata: {
      ...pod.metadata,
      ...(annotations && { annotations: { ...pod.metadata.annotations, ...annotations } }),
      ...(labels && { labels: { ...pod.metadata.labels, ...topologyLabels(labels) } }),
    },
    spec: { ...pod.spec, nodeName: binding.target.name },
    status: { ...status, conditions: withScheduled(pod, now) },
  }
  return assigned as unknown as KubeObject
}

/** Only these labels come with a binding. Upstream: copyLabelsWithoutOverwriting of topology labels. */
function topologyLabels(labels: Record<string, string>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(labels).filter(
      ([key]) => key.startsWith('topology.kubernetes.io/') || key.startsWith('topology.k8s.io/'),
    ),
  )
}

function withScheduled(pod: Pod, now: number): Pod['status']['conditions'] {
  const others = (pod.status.conditions ?? []).filter(condition => condition.type !== 'PodScheduled')
  const scheduled = {
    type: 'PodScheduled',
    status: 'True',
    lastProbeTime: null,
    lastTransitionTime: formatTime(now),
  }
  return [...others, scheduled] as Pod['status']['conditions']
}
