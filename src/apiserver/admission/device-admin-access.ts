// Who may look at devices that others have: claims of namespaces that an administrator has marked for it. Upstream does
// this in the strategies: pkg/registry/resource/utils.go AuthorizedForAdmin, AuthorizedForAdminStatus (KEP-5018).
import type { KubeObject } from '../../api/kube-object.ts'
import { invalid } from '../../api/status-error.ts'
import type {
  DeviceRequest,
  DeviceRequestAllocationResult,
  ResourceClaim,
  ResourceClaimTemplate,
} from '../../api/types/resource-v1.ts'
import { forbiddenField } from '../../api/validation/field-error.ts'
import { type AdmissionAttributes, type AdmissionPlugin, isResource } from './admission.ts'
import type { ObjectLookup } from './object-lookup.ts'

const GROUP = 'resource.k8s.io'
const LABEL = 'resource.kubernetes.io/admin-access'

export function deviceAdminAccess(lookup: ObjectLookup): AdmissionPlugin {
  return {
    name: 'DeviceAdminAccess',
    validate(attributes) {
      const field = fieldOf(attributes)
      if (field === undefined) return
      const { namespace = '', object, resource } = attributes
      if (lookup.namespace(namespace)?.metadata.labels?.[LABEL] === 'true') return
      const detail = `admin access to devices requires the \`${LABEL}: true\` label on the containing namespace`
      throw invalid(resource, object?.metadata.name ?? '', [forbiddenField(field, detail)])
    },
  }
}

/** Where such access is asked for, or given; undefined: nowhere. */
function fieldOf(attributes: AdmissionAttributes): string | undefined {
  const { object, oldObject, operation, subresource } = attributes
  if (isResource(attributes, 'resourceclaims', GROUP)) {
    if (operation === 'CREATE') return fieldOfRequests(as<ResourceClaim>(object)?.spec.devices?.requests)
    if (operation !== 'UPDATE' || subresource !== 'status') return undefined
    return fieldOfResults(resultsOf(object), resultsOf(oldObject))
  }
  if (operation !== 'CREATE' || !isResource(attributes, 'resourceclaimtemplates', GROUP)) return undefined
  return fieldOfRequests(as<ResourceClaimTemplate>(object)?.spec.spec.devices?.requests)
}

const as = <T>(object: KubeObject | undefined): T | undefined => object as unknown as T | undefined

const resultsOf = (object: KubeObject | undefined) =>
  as<ResourceClaim>(object)?.status?.allocation?.devices.results ?? []

function fieldOfRequests(requests: readonly DeviceRequest[] = []): string | undefined {
  const index = requests.findIndex(({ exactly }) => exactly?.adminAccess)
  return index < 0 ? undefined : `spec.devices.requests[${index}].adminAccess`
}

/** What was given before stays as it is. */
function fieldOfResults(
  results: readonly DeviceRequestAllocationResult[],
  before: readonly DeviceRequestAllocationResult[],
): string | undefined {
  if (before.some(({ adminAccess }) => adminAccess)) return undefined
  const index = results.findIndex(({ adminAccess }) => adminAccess)
  return index < 0 ? undefined : `status.allocation.devices.results[${index}].adminAccess`
}
