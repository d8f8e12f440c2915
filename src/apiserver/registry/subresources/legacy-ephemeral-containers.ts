// The EphemeralContainers kind of Kubernetes 1.16 to 1.21, which old tutorials still PUT. It is a pod's list of
// ephemeral containers and nothing else; answered in the kind that was sent.
import type { KubeObject } from '../../../api/kube-object.ts'
import type { ApiRequest } from '../../../api/request.ts'
import { badRequest } from '../../../api/status-error.ts'
import { asPod } from '../strategies/core/pod-strategy.ts'

interface EphemeralContainers extends KubeObject {
  ephemeralContainers?: unknown[]
}

export function isEphemeralContainers(body: unknown): body is EphemeralContainers {
  return (body as Partial<KubeObject> | undefined)?.kind === 'EphemeralContainers'
}

/** Before 1.22, `kubectl debug` read the list in this kind, added to it and wrote it back. */
export function readsEphemeralContainers({ verb, userAgent = '' }: ApiRequest): boolean {
  return verb === 'get' && /^kubectl\/v1\.(1[6-9]|2[01])\./.test(userAgent)
}

/** The request as today's form has it: the stored pod with the list of the body. */
export function asPodUpdate(request: ApiRequest, stored: KubeObject): ApiRequest {
  const body = request.body as EphemeralContainers
  if (body.metadata?.name && body.metadata.name !== request.name) {
    throw badRequest(
      `the name of the object (${body.metadata.name}) does not match the name on the URL (${request.name})`,
    )
  }
  const pod = asPod(stored)
  const { resourceVersion: _, ...metadata } = pod.metadata
  const wanted = body.metadata?.resourceVersion
  return {
    ...request,
    body: {
      ...pod,
      metadata: { ...metadata, ...(wanted && { resourceVersion: wanted }) },
      spec: { ...pod.spec, ephemeralContainers: body.ephemeralContainers ?? [] },
    },
  }
}

export function asEphemeralContainers(object: KubeObject): KubeObject {
  const { metadata, spec } = asPod(object)
  const { name, namespace, uid, resourceVersion, creationTimestamp } = metadata
  return {
    kind: 'EphemeralContainers',
    apiVersion: 'v1',
    metadata: { name, ...(namespace && { namespace }), uid, resourceVersion, creationTimestamp },
    ephemeralContainers: spec.ephemeralContainers ?? [],
  }
}
