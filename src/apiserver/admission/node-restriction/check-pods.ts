// What a kubelet may do to pods: make and delete mirror pods of its own, tell the status of those bound to it.
import { isDeepStrictEqual } from 'node:util'
import { referencesOf } from '../../../api/pod/references.ts'
import type { Pod } from '../../../api/types/core-v1.ts'
import type { OwnerReference } from '../../../api/types/meta-v1.ts'
import { goQuote } from '../../../api/validation/field-error.ts'
import { type AdmissionAttributes, refuse } from '../admission.ts'
import type { ObjectLookup } from '../object-lookup.ts'

const MIRROR_POD = 'kubernetes.io/config.mirror'

export function checkPods(nodeName: string, attributes: AdmissionAttributes, lookup: ObjectLookup): void {
  const { subresource = '', operation } = attributes
  switch (`${operation} ${subresource}`) {
    case 'CREATE ':
      checkNewPod(nodeName, attributes, lookup)
      break
    case 'DELETE ':
      checkPodOf('delete', nodeName, attributes, lookup)
      break
    case 'UPDATE status':
      checkPodStatus(nodeName, attributes)
      break
    case 'CREATE eviction':
      checkPodOf('evict', nodeName, attributes, lookup)
      break
    default:
      throw refuse(
        attributes,
        subresource
          ? `unexpected operation ${goQuote(operation)}, subresource ${goQuote(subresource)}`
          : `unexpected operation ${goQuote(operation)}, node ${goQuote(nodeName)} can only create and delete mirror pods`,
      )
  }
}

/** Only mirror pods, only for itself, and without reach into the cluster. */
function checkNewPod(nodeName: string, attributes: AdmissionAttributes, lookup: ObjectLookup): void {
  const pod = attributes.object as unknown as Pod
  const { annotations, ownerReferences = [] } = pod.metadata
  if (annotations?.[MIRROR_POD] === undefined) {
    throw refuse(
      attributes,
      `pod does not have ${goQuote(MIRROR_POD)} annotation, node ${goQuote(nodeName)} can only create mirror pods`,
    )
  }
  if (pod.spec.nodeName !== nodeName) {
    throw refuse(
      attributes,
      `node ${goQuote(nodeName)} can only create pods with spec.nodeName set to itself`,
    )
  }
  checkOwners(nodeName, attributes, ownerReferences, lookup)
  if (pod.spec.serviceAccountName) {
    throw refuse(attributes, `node ${goQuote(nodeName)} can not create pods that reference a service account`)
  }
  const forbiddenReference = referencedKind(pod)
  if (forbiddenReference) {
    throw refuse(
      attributes,
      `node ${goQuote(nodeName)} can not create pods that reference ${forbiddenReference}`,
    )
  }
}

function referencedKind(pod: Pod): string | undefined {
  const { secrets, configMaps, claims } = referencesOf(pod)
  if (secrets.size > 0) return 'secrets'
  if (configMaps.size > 0) return 'configmaps'
  return claims.size > 0 ? 'persistentvolumeclaims' : undefined
}

/** A mirror pod belongs to its node, and to nothing else. */
function checkOwners(
  nodeName: string,
  attributes: AdmissionAttributes,
  owners: readonly OwnerReference[],
  lookup: ObjectLookup,
): void {
  const say = (why: string) =>
    refuse(attributes, `node ${goQuote(nodeName)} can only create pods with ${why}`)
  if (owners.length > 1) throw say('a single owner reference set to itself')
  const [owner] = owners
  if (!owner) {
    throw refuse(
      attributes,
      `node ${goQuote(nodeName)} can only create pods with an owner reference set to itself`,
    )
  }
  if (owner.apiVersion !== 'v1' || owner.kind !== 'Node' || owner.name !== nodeName) {
    throw say('an owner reference set to itself')
  }
  if (owner.controller !== true) throw say('a controller owner reference set to itself')
  if (owner.blockOwnerDeletion === true) {
    throw refuse(
      attributes,
      `node ${goQuote(nodeName)} must not set blockOwnerDeletion on an owner reference`,
    )
  }
  const uid = lookup.node(nodeName)?.metadata.uid
  if (owner.uid !== uid)
    throw refuse(attributes, `node ${nodeName} UID mismatch: expected ${owner.uid} got ${uid ?? ''}`)
}

function checkPodStatus(nodeName: string, attributes: AdmissionAttributes): void {
  const { object, oldObject } = attributes
  const [pod, old] = [object as unknown as Pod, oldObject as unknown as Pod]
  if (old.spec.nodeName !== nodeName) {
    throw refuse(
      attributes,
      `node ${goQuote(nodeName)} can only update pod status for pods with spec.nodeName set to itself`,
    )
  }
  if (!isDeepStrictEqual(pod.metadata.labels ?? {}, old.metadata.labels ?? {})) {
    throw refuse(attributes, `node ${goQuote(nodeName)} cannot update labels through pod status`)
  }
}

function checkPodOf(
  verb: 'delete' | 'evict',
  nodeName: string,
  attributes: AdmissionAttributes,
  lookup: ObjectLookup,
): void {
  const name = podName(attributes)
  const pod = (lookup.pod(attributes.namespace ?? '', name) ?? attributes.oldObject) as unknown as
    | Pod
    | undefined
  // The request itself will say that there is none.
  if (!pod) return
  if (pod.spec.nodeName !== nodeName) {
    const shown = verb === 'evict' ? nodeName : goQuote(nodeName)
    throw refuse(attributes, `node ${shown} can only ${verb} pods with spec.nodeName set to itself`)
  }
}

const podName = ({ name, object, oldObject }: AdmissionAttributes) =>
  name || object?.metadata.name || oldObject?.metadata.name || ''
