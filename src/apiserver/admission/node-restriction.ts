// A kubelet changes its own node and the pods on it, and nothing else, whatever else it may do.
// Upstream: plugin/pkg/admission/noderestriction.
import { isDeepStrictEqual } from 'node:util'
import type { KubeObject } from '../../api/kube-object.ts'
import { referencesOf } from '../../api/pod/references.ts'
import { notFound } from '../../api/status-error.ts'
import type { TokenRequest } from '../../api/types/authentication-v1.ts'
import type { Node, Pod } from '../../api/types/core-v1.ts'
import { goQuote } from '../../api/validation/field-error.ts'
import { unifiedDiff } from '../../api/validation/unified-diff.ts'
import { nodeNameOf } from '../authz/node/node-identity.ts'
import { type AdmissionAttributes, type AdmissionPlugin, refuse } from './admission.ts'
import type { ObjectLookup } from './object-lookup.ts'

const MIRROR_POD = 'kubernetes.io/config.mirror'
const LEASE_NAMESPACE = 'kube-node-lease'

type Check = (nodeName: string, attributes: AdmissionAttributes, lookup: ObjectLookup) => void

export function nodeRestriction(lookup: ObjectLookup): AdmissionPlugin {
  return {
    name: 'NodeRestriction',
    admit(attributes) {
      const nodeName = nodeNameOf(attributes.user)
      if (nodeName === undefined) return
      const { group, resource } = attributes.resource
      const check = checks.get(`${group}/${resource}`)
      if (!check) return
      if (nodeName === '') {
        throw refuse(
          attributes,
          `could not determine node identity from user ${goQuote(attributes.user.name)}`,
        )
      }
      check(nodeName, attributes, lookup)
    },
  }
}

const checks = new Map<string, Check>([
  ['/pods', checkPods],
  ['/nodes', checkNode],
  ['/persistentvolumeclaims', checkClaim],
  ['/serviceaccounts', checkToken],
  ['coordination.k8s.io/leases', checkLease],
  ['storage.k8s.io/csinodes', checkCsiNode],
])

function checkPods(nodeName: string, attributes: AdmissionAttributes, lookup: ObjectLookup): void {
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
  owners: readonly {
    apiVersion: string
    kind: string
    name: string
    uid: string
    controller?: boolean
    blockOwnerDeletion?: boolean
  }[],
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

function checkNode(nodeName: string, attributes: AdmissionAttributes): void {
  const { operation, object, oldObject, name } = attributes
  const requested = name || object?.metadata.name || ''
  if (requested !== nodeName) {
    throw refuse(attributes, `node ${goQuote(nodeName)} is not allowed to modify node ${goQuote(requested)}`)
  }
  const node = object as unknown as Node
  if (operation === 'CREATE') {
    if (node.spec?.configSource)
      throw refuse(
        attributes,
        `node ${goQuote(nodeName)} is not allowed to create pods with a non-nil configSource`,
      )
    const labels = forbiddenLabels(Object.keys(node.metadata.labels ?? {}))
    if (labels.length > 0) {
      throw refuse(
        attributes,
        `node ${goQuote(nodeName)} is not allowed to set the following labels: ${labels.join(', ')}`,
      )
    }
    return
  }
  if (operation === 'UPDATE') checkNodeUpdate(nodeName, attributes, node, oldObject as unknown as Node)
}

function checkNodeUpdate(nodeName: string, attributes: AdmissionAttributes, node: Node, old: Node): void {
  const { configSource } = node.spec ?? {}
  if (configSource && !isDeepStrictEqual(configSource, old.spec?.configSource)) {
    throw refuse(
      attributes,
      `node ${goQuote(nodeName)} is not allowed to update configSource to a new non-nil configSource`,
    )
  }
  if (!isDeepStrictEqual(node.spec?.taints ?? [], old.spec?.taints ?? [])) {
    throw refuse(attributes, `node ${goQuote(nodeName)} is not allowed to modify taints`)
  }
  if (!isDeepStrictEqual(node.metadata.ownerReferences ?? [], old.metadata.ownerReferences ?? [])) {
    throw refuse(attributes, `node ${goQuote(nodeName)} is not allowed to modify ownerReferences`)
  }
  const [labels, before] = [node.metadata.labels ?? {}, old.metadata.labels ?? {}]
  const changed = [...new Set([...Object.keys(labels), ...Object.keys(before)])].filter(
    key => labels[key] !== before[key],
  )
  const refused = forbiddenLabels(changed)
  if (refused.length > 0) {
    throw refuse(attributes, `is not allowed to modify labels: ${refused.join(', ')}`)
  }
}

const KUBELET_LABELS = new Set([
  'kubernetes.io/hostname',
  'topology.kubernetes.io/zone',
  'topology.kubernetes.io/region',
  'failure-domain.beta.kubernetes.io/zone',
  'failure-domain.beta.kubernetes.io/region',
  'kubernetes.io/os',
  'kubernetes.io/arch',
  'node.kubernetes.io/instance-type',
  'beta.kubernetes.io/instance-type',
  'beta.kubernetes.io/os',
  'beta.kubernetes.io/arch',
])
const KUBELET_NAMESPACES = ['kubelet.kubernetes.io', 'node.kubernetes.io']

/** Labels under kubernetes.io and k8s.io that are not a kubelet's to set. Upstream: getModifiedLabels and the rest. */
function forbiddenLabels(keys: readonly string[]): string[] {
  return keys.filter(isForbiddenLabel).sort()
}

function isForbiddenLabel(key: string): boolean {
  const slash = key.indexOf('/')
  if (slash < 0) return false
  const namespace = key.slice(0, slash)
  const within = (domain: string) => namespace === domain || namespace.endsWith(`.${domain}`)
  if (within('node-restriction.kubernetes.io')) return true
  if (!within('kubernetes.io') && !within('k8s.io')) return false
  return !KUBELET_LABELS.has(key) && !KUBELET_NAMESPACES.some(within)
}

function checkClaim(nodeName: string, attributes: AdmissionAttributes): void {
  const { subresource, operation, object, oldObject } = attributes
  if (subresource !== 'status') {
    throw refuse(attributes, 'may only update PVC status')
  }
  if (operation !== 'UPDATE') throw refuse(attributes, `unexpected operation ${goQuote(operation)}`)
  const [now, before] = [unchangeable(object), unchangeable(oldObject)]
  if (!isDeepStrictEqual(now, before)) {
    const difference = unifiedDiff(JSON.stringify(before, null, 2), JSON.stringify(now, null, 2))
    throw refuse(
      attributes,
      `node ${goQuote(nodeName)} is not allowed to update fields other than status.capacity and status.conditions: ${difference}`,
    )
  }
}

const KUBELET_STATUS = new Set(['capacity', 'conditions', 'allocatedResources', 'allocatedResourceStatuses'])

function unchangeable(claim: KubeObject | undefined): object {
  const {
    resourceVersion: _,
    managedFields: __,
    ...metadata
  } = claim?.metadata ?? ({} as KubeObject['metadata'])
  const status = Object.entries(claim?.status ?? {}).filter(([field]) => !KUBELET_STATUS.has(field))
  return { metadata, spec: claim?.spec, status: Object.fromEntries(status) }
}

/** Tokens are asked for pods on the node only. */
function checkToken(nodeName: string, attributes: AdmissionAttributes, lookup: ObjectLookup): void {
  const { subresource, operation, object, namespace = '', resource } = attributes
  if (operation !== 'CREATE' || subresource !== 'token') return
  const reference = (object as unknown as TokenRequest).spec.boundObjectRef
  if (reference?.apiVersion !== 'v1' || reference.kind !== 'Pod' || !reference.name) {
    throw refuse(attributes, 'node requested token not bound to a pod')
  }
  if (!reference.uid) throw refuse(attributes, 'node requested token with a pod binding without a uid')
  const pod = lookup.pod(namespace, reference.name) as unknown as Pod | undefined
  if (!pod) throw notFound({ ...resource, resource: 'pods', group: '' }, reference.name)
  if (pod.metadata.uid !== reference.uid) {
    throw refuse(
      attributes,
      `the UID in the bound object reference (${reference.uid}) does not match the UID in record. The object might have been deleted and then recreated`,
    )
  }
  if (pod.spec.nodeName !== nodeName) {
    throw refuse(attributes, 'node requested token bound to a pod scheduled on a different node')
  }
}

function checkLease(nodeName: string, attributes: AdmissionAttributes): void {
  const { namespace, operation, name, object } = attributes
  if (namespace !== LEASE_NAMESPACE) {
    throw refuse(attributes, `can only access leases in the ${goQuote(LEASE_NAMESPACE)} system namespace`)
  }
  if (operation !== 'DELETE' && object && object.metadata.name !== nodeName) {
    throw refuse(attributes, 'can only access node lease with the same name as the requesting node')
  }
  if (operation !== 'CREATE' && name && name !== nodeName) {
    throw refuse(attributes, 'can only access node lease with the same name as the requesting node')
  }
}

function checkCsiNode(nodeName: string, attributes: AdmissionAttributes): void {
  const name = attributes.name || attributes.object?.metadata.name
  if (name !== nodeName) {
    throw refuse(attributes, 'can only access CSINode with the same name as the requesting node')
  }
}
