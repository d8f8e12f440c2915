// What kubelets may do: what every node may, and reading what pods on their own node need.
// Upstream: plugin/pkg/auth/authorizer/node.
import { FieldSelectorError, parseFieldSelector } from '../../../api/fields.ts'
import { goQuote } from '../../../api/validation/field-error.ts'
import {
  type Attributes,
  type Authorizer,
  type Decision,
  isNonResource,
  type ResourceAttributes,
} from '../authorizer.ts'
import { nodeRules } from '../rbac/bootstrap/cluster-roles.ts'
import { ruleAllows } from '../rbac/policy-rule.ts'
import type { NodeGraph, NodeThing } from './node-graph.ts'
import { nodeNameOf } from './node-identity.ts'

const ALLOW: Decision = { decision: 'allow' }
const NO_OPINION: Decision = { decision: 'noOpinion' }
const LEASE_NAMESPACE = 'kube-node-lease'

const because = (reason: string): Decision => ({ decision: 'noOpinion', reason })

type Check = (nodeName: string, attributes: ResourceAttributes, graph: NodeGraph) => Decision

export function nodeAuthorizer(graph: NodeGraph): Authorizer {
  return {
    authorize(attributes) {
      const nodeName = nodeNameOf(attributes.user)
      if (nodeName === undefined) return NO_OPINION
      if (nodeName === '') return because(`unknown node for user ${goQuote(attributes.user.name)}`)
      const check = checkFor(attributes)
      return check && !isNonResource(attributes) ? check(nodeName, attributes, graph) : anyNode(attributes)
    },
    rulesFor(user) {
      const none = { resourceRules: [], nonResourceRules: [] }
      return nodeNameOf(user) === undefined
        ? { ...none, incomplete: false }
        : {
            ...none,
            incomplete: true,
            evaluationError: 'node authorizer does not support user rule resolution',
          }
    },
  }
}

function anyNode(attributes: Attributes): Decision {
  return nodeRules.some(rule => ruleAllows(attributes, rule)) ? ALLOW : NO_OPINION
}

function checkFor(attributes: Attributes): Check | undefined {
  return isNonResource(attributes) ? undefined : checks.get(`${attributes.group}/${attributes.resource}`)
}

const checks = new Map<string, Check>([
  ['/secrets', (node, attributes, graph) => readOne('secrets', node, attributes, graph)],
  ['/configmaps', (node, attributes, graph) => readOne('configmaps', node, attributes, graph)],
  ['/persistentvolumeclaims', checkClaim],
  ['/persistentvolumes', checkVolume],
  ['/serviceaccounts', checkToken],
  ['/nodes', checkNode],
  ['/pods', checkPod],
  ['coordination.k8s.io/leases', checkLease],
  ['storage.k8s.io/csinodes', checkCsiNode],
  ['resource.k8s.io/resourceclaims', checkResourceClaim],
  ['resource.k8s.io/resourceslices', checkResourceSlice],
])

function readOne(
  thing: NodeThing,
  nodeName: string,
  attributes: ResourceAttributes,
  graph: NodeGraph,
): Decision {
  const { verb, subresource, namespace } = attributes
  if (verb !== 'get' && verb !== 'list' && verb !== 'watch')
    return because('can only read resources of this type')
  if (subresource) return because('cannot read subresource')
  if (!namespace) return because('can only read namespaced object of this type')
  return related(thing, nodeName, attributes, graph)
}

function related(
  thing: NodeThing,
  nodeName: string,
  { namespace = '', name }: ResourceAttributes,
  graph: NodeGraph,
): Decision {
  if (!name) return because('No Object name found')
  return graph.needs(nodeName, thing, `${namespace}/${name}`) ? ALLOW : unrelated(nodeName)
}

const unrelated = (nodeName: string) =>
  because(`no relationship found between node '${nodeName}' and this object`)

function getOnly({ verb, subresource }: ResourceAttributes): Decision | undefined {
  if (verb !== 'get') return because('can only get individual resources of this type')
  return subresource ? because('cannot get subresource') : undefined
}

function checkClaim(nodeName: string, attributes: ResourceAttributes, graph: NodeGraph): Decision {
  const { verb, subresource } = attributes
  const thing = 'persistentvolumeclaims'
  if (subresource !== 'status') return getOnly(attributes) ?? related(thing, nodeName, attributes, graph)
  if (verb !== 'update' && verb !== 'patch') return because('can only get/update/patch this type')
  return related(thing, nodeName, attributes, graph)
}

function checkResourceClaim(nodeName: string, attributes: ResourceAttributes, graph: NodeGraph): Decision {
  return getOnly(attributes) ?? related('resourceclaims', nodeName, attributes, graph)
}

/** Whose slice is created is for NodeRestriction to see. Upstream: authorizeResourceSlice. */
function checkResourceSlice(nodeName: string, attributes: ResourceAttributes, graph: NodeGraph): Decision {
  const { verb, subresource, name, fieldSelector } = attributes
  if (subresource) return because('cannot authorize ResourceSlice subresources')
  switch (verb) {
    case 'create':
      return ALLOW
    case 'get':
    case 'update':
    case 'patch':
    case 'delete':
      if (!name) return because('No Object name found')
      return graph.hasSlice(nodeName, name) ? ALLOW : unrelated(nodeName)
    case 'list':
    case 'watch':
    case 'deletecollection':
      if (selects(fieldSelector, 'spec.nodeName', nodeName)) return ALLOW
      return because('can only list/watch/deletecollection resourceslices with spec.nodeName field selector')
    default:
      return because(
        'only the following verbs are allowed for a ResourceSlice: get, watch, list, create, update, patch, delete, deletecollection',
      )
  }
}

function checkVolume(nodeName: string, attributes: ResourceAttributes, graph: NodeGraph): Decision {
  const refused = getOnly(attributes)
  if (refused) return refused
  if (!attributes.name) return because('No Object name found')
  return graph.needsVolume(nodeName, attributes.name) ? ALLOW : unrelated(nodeName)
}

/** Tokens for accounts of pods on the node, and the account itself for image credential providers. */
function checkToken(nodeName: string, attributes: ResourceAttributes, graph: NodeGraph): Decision {
  const { verb, name, subresource } = attributes
  if (verb === 'get' && !subresource) return related('serviceaccounts', nodeName, attributes, graph)
  if (verb !== 'create' || !name) return because('can only create tokens for individual service accounts')
  if (subresource !== 'token') return because('can only create token subresource of serviceaccount')
  return related('serviceaccounts', nodeName, attributes, graph)
}

function checkNode(nodeName: string, { verb, subresource = '', name = '' }: ResourceAttributes): Decision {
  // NodeRestriction sees to it that a node changes itself only.
  if (subresource === 'status') return verb === 'update' || verb === 'patch' ? ALLOW : NO_OPINION
  if (subresource) return NO_OPINION
  if (verb === 'create' || verb === 'update' || verb === 'patch') return ALLOW
  if (verb !== 'get' && verb !== 'list' && verb !== 'watch') return NO_OPINION
  if (name === nodeName) return ALLOW
  return because(
    name
      ? `node '${nodeName}' cannot read '${name}', only its own Node object`
      : `node '${nodeName}' cannot read all nodes, only its own Node object`,
  )
}

function checkPod(nodeName: string, attributes: ResourceAttributes, graph: NodeGraph): Decision {
  const { verb, subresource = '' } = attributes
  if (subresource === 'status') return verb === 'update' || verb === 'patch' ? ALLOW : NO_OPINION
  if (subresource === 'eviction') return verb === 'create' ? ALLOW : NO_OPINION
  if (subresource) return NO_OPINION
  switch (verb) {
    case 'get':
      return related('pods', nodeName, attributes, graph)
    case 'list':
    case 'watch':
      return readPods(nodeName, attributes, graph)
    case 'create':
    case 'delete':
      return ALLOW
    default:
      return NO_OPINION
  }
}

function readPods(nodeName: string, attributes: ResourceAttributes, graph: NodeGraph): Decision {
  if (selects(attributes.fieldSelector, 'spec.nodeName', nodeName)) return ALLOW
  if (attributes.name) return related('pods', nodeName, attributes, graph)
  return because('can only list/watch pods with spec.nodeName field selector')
}

function selects(selector: string | undefined, field: string, value: string): boolean {
  if (!selector) return false
  try {
    return parseFieldSelector(selector).some(
      term => term.field === field && term.operator === '=' && term.value === value,
    )
  } catch (error) {
    if (error instanceof FieldSelectorError) return false
    throw error
  }
}

const OWN_OBJECT_VERBS = new Set(['get', 'create', 'update', 'patch', 'delete'])

function checkLease(nodeName: string, { verb, namespace, name }: ResourceAttributes): Decision {
  if (!OWN_OBJECT_VERBS.has(verb))
    return because('can only get, create, update, patch, or delete a node lease')
  if (namespace !== LEASE_NAMESPACE) {
    return because(`can only access leases in the ${goQuote(LEASE_NAMESPACE)} system namespace`)
  }
  if (verb !== 'create' && name !== nodeName) {
    return because('can only access node lease with the same name as the requesting node')
  }
  return ALLOW
}

function checkCsiNode(nodeName: string, { verb, subresource, name }: ResourceAttributes): Decision {
  if (!OWN_OBJECT_VERBS.has(verb)) return because('can only get, create, update, patch, or delete a CSINode')
  if (subresource) return because('cannot authorize CSINode subresources')
  if (verb !== 'create' && name !== nodeName) {
    return because('can only access CSINode with the same name as the requesting node')
  }
  return ALLOW
}
