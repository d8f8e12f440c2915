import type { ApiRequest } from '../../api/request.ts'
import { findType } from '../../api/schema/type-facts.ts'
import { badRequest, StatusError } from '../../api/status-error.ts'
import { applyJsonPatch } from './json-patch.ts'
import { applyMergePatch, isMap } from './merge-patch.ts'
import { applyStrategicMergePatch } from './strategic-merge-patch.ts'

const ACCEPTED = [
  'application/json-patch+json',
  'application/merge-patch+json',
  'application/strategic-merge-patch+json',
]

/**
 * The patched object, not yet decoded. `target` is not changed; the result shares parts with it and with the patch.
 * Throws 400, 415 and 422 as upstream does.
 */
export function applyPatch(
  target: { apiVersion: string; kind: string },
  { type, document }: NonNullable<ApiRequest['patch']>,
): unknown {
  if (type === 'application/json-patch+json') return applyJsonPatch(target, document)
  if (type === 'application/merge-patch+json') {
    if (!isMap(document))
      throw badRequest('error decoding patch: json: cannot unmarshal into Go value of type map')
    return applyMergePatch(target, document)
  }
  const facts =
    type === 'application/strategic-merge-patch+json' ? findType(target.apiVersion, target.kind) : undefined
  if (!facts) throw unsupportedPatchType()
  const { apiVersion, kind } = target
  const patched = applyStrategicMergePatch({ ...target }, document, facts)
  // The type is the target's, whatever the patch says: Ansible scales with kind: Deployment. Upstream converts the
  // result into a value of the target's type (strategicPatchObject).
  return isMap(patched) ? { ...patched, apiVersion, kind } : patched
}

function unsupportedPatchType(): StatusError {
  return new StatusError({
    code: 415,
    reason: 'UnsupportedMediaType',
    message: `the body of the request was in an unknown format - accepted media types include: ${ACCEPTED.join(', ')}`,
    details: {},
  })
}
