// A kubelet changes its own node and the pods on it, and nothing else, whatever else it may do.
// Upstream: plugin/pkg/admission/noderestriction.
import { notFound } from '../../../api/status-error.ts'
import type { TokenRequest } from '../../../api/types/authentication-v1.ts'
import type { Pod } from '../../../api/types/core-v1.ts'
import type { ResourceSlice } from '../../../api/types/resource-v1.ts'
import { goQuote } from '../../../api/validation/field-error.ts'
import { nodeNameOf } from '../../authz/node/node-identity.ts'
import { type AdmissionAttributes, type AdmissionPlugin, refuse } from '../admission.ts'
import type { ObjectLookup } from '../object-lookup.ts'
import { checkClaim } from './check-claim.ts'
import { checkNode } from './check-node.ts'
import { checkPods } from './check-pods.ts'

const SLICES = 'resource.k8s.io/resourceslices'
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
    /** Each object of a collection that is deleted is seen here only. */
    validate(attributes) {
      const { group, resource } = attributes.resource
      const nodeName = nodeNameOf(attributes.user)
      if (nodeName && `${group}/${resource}` === SLICES) checkSlice(nodeName, attributes)
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
  [SLICES, checkSlice],
])

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

/** What else is done to slices is for the node authorizer to judge. */
function checkSlice(nodeName: string, attributes: AdmissionAttributes): void {
  const { operation, object, oldObject } = attributes
  const isCollection = operation === 'DELETE' && !oldObject
  if ((operation !== 'CREATE' && operation !== 'DELETE') || isCollection) return
  const slice = (operation === 'CREATE' ? object : oldObject) as unknown as ResourceSlice | undefined
  if (slice?.spec.nodeName === nodeName) return
  const act = operation.toLowerCase()
  throw refuse(attributes, `can only ${act} ResourceSlice with the same NodeName as the requesting node`)
}

function checkCsiNode(nodeName: string, attributes: AdmissionAttributes): void {
  const name = attributes.name || attributes.object?.metadata.name
  if (name !== nodeName) {
    throw refuse(attributes, 'can only access CSINode with the same name as the requesting node')
  }
}
