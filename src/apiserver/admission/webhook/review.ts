// What a webhook is asked, and what its answer means. Pure. Upstream: admission/plugin/webhook/request and .../errors.
import { randomUUID } from 'node:crypto'
import { StatusError } from '../../../api/status-error.ts'
import type { AdmissionResponse, AdmissionReview } from '../../../api/types/admission-v1.ts'
import { goQuote } from '../../../api/validation/field-error.ts'
import type { AdmissionAttributes } from '../admission.ts'

/** What goes wrong between the server and a webhook; its failurePolicy says what then. */
export class WebhookFailure extends Error {}

export function reviewFor(attributes: AdmissionAttributes): AdmissionReview {
  const { resource, subresource, object, oldObject, operation, user, dryRun, namespace, name, options } =
    attributes
  const { group, version, resource: plural } = resource
  const kind = kindOf(attributes)
  const gvr = { group, version, resource: plural }
  return {
    kind: 'AdmissionReview',
    apiVersion: 'admission.k8s.io/v1',
    request: {
      uid: randomUUID(),
      kind,
      resource: gvr,
      ...(subresource && { subResource: subresource }),
      requestKind: kind,
      requestResource: gvr,
      ...(subresource && { requestSubResource: subresource }),
      ...nameOf(name || object?.metadata?.name),
      ...(namespace && { namespace }),
      operation,
      userInfo: {
        username: user.name,
        ...(user.uid && { uid: user.uid }),
        groups: user.groups,
        ...(user.extra && { extra: user.extra }),
      },
      object: object ?? null,
      oldObject: oldObject ?? null,
      dryRun,
      options: optionsOf(operation, options),
    },
  } as AdmissionReview
}

const nameOf = (name: string | undefined) => (name ? { name } : {})

/** Of the body: a subresource may have a kind of its own. */
function kindOf({ object, oldObject, resource }: AdmissionAttributes) {
  const { apiVersion, kind } = object ??
    oldObject ?? {
      apiVersion: resource.group ? `${resource.group}/${resource.version}` : resource.version,
      kind: resource.kind,
    }
  const slash = apiVersion.indexOf('/')
  return { group: slash < 0 ? '' : apiVersion.slice(0, slash), version: apiVersion.slice(slash + 1), kind }
}

const OPTION_KINDS: Record<string, string | undefined> = {
  CREATE: 'CreateOptions',
  UPDATE: 'UpdateOptions',
  DELETE: 'DeleteOptions',
}

function optionsOf(operation: string, options: object): object | null {
  const kind = OPTION_KINDS[operation]
  if (!kind) return null
  const { dryRun, fieldManager, fieldValidation, ...others } = options as Record<string, unknown>
  const own = operation === 'DELETE' ? others : {}
  return {
    kind,
    apiVersion: 'meta.k8s.io/v1',
    ...own,
    ...(Array.isArray(dryRun) && dryRun.length > 0 ? { dryRun } : {}),
    ...(fieldManager ? { fieldManager } : {}),
    ...(fieldValidation ? { fieldValidation } : {}),
  }
}

/** Throws WebhookFailure for an answer that is none. Upstream: VerifyAdmissionResponse. */
export function readResponse(body: unknown, uid: string, mutating: boolean): AdmissionResponse {
  const review = body as Partial<AdmissionReview> | null
  if (review?.kind !== 'AdmissionReview' || review.apiVersion !== 'admission.k8s.io/v1') {
    const gvk = `${review?.apiVersion ?? ''}, Kind=${review?.kind ?? ''}`
    throw new WebhookFailure(
      `expected webhook response of admission.k8s.io/v1, Kind=AdmissionReview, got ${gvk}`,
    )
  }
  const { response } = review
  if (!response) throw new WebhookFailure('webhook response was absent')
  if (response.uid !== uid) {
    throw new WebhookFailure(`expected response.uid=${goQuote(uid)}, got ${goQuote(response.uid ?? '')}`)
  }
  if (response.patch && !mutating)
    throw new WebhookFailure('webhook response patch is not allowed for validating webhooks')
  if (response.patch && response.patchType !== 'JSONPatch') {
    throw new WebhookFailure(`invalid webhook response.patchType: ${response.patchType ?? ''}`)
  }
  return response
}

/** Upstream: webhookerrors.ToStatusErr. */
export function denial(
  webhook: string,
  { status = {} as AdmissionResponse['status'] }: AdmissionResponse,
): StatusError {
  const { code, message, reason, details } = (status ?? {}) as {
    code?: number
    message?: string
    reason?: string
    details?: object
  }
  const denied = `admission webhook ${goQuote(webhook)} denied the request`
  const why = message || reason
  return new StatusError({
    code: code !== undefined && code >= 400 ? code : 400,
    message: why ? `${denied}: ${why}` : `${denied} without explanation`,
    ...(reason && { reason }),
    ...(details && { details }),
  })
}
