// What a server-side apply must bring along. Upstream: apimachinery meta/v1/validation ValidatePatchOptions and
// apiserver handlers/patch.go (applyPatcher).
import type { KubeObject } from '../../api/kube-object.ts'
import type { ApiRequest } from '../../api/request.ts'
import { badRequest, type FieldErrorLike, invalid } from '../../api/status-error.ts'
import type { WriteRequest } from './write-request.ts'

/** Throws 422. */
export function checkPatchOptions({ patch, options = {} }: ApiRequest): void {
  const isApply = patch?.type === 'application/apply-patch+yaml'
  const errors: FieldErrorLike[] = []
  if (isApply && !options.fieldManager) {
    errors.push({
      reason: 'FieldValueRequired',
      field: 'fieldManager',
      message: 'Required value: is required for apply patch',
    })
  }
  if (!isApply && options.force !== undefined) {
    errors.push({
      reason: 'FieldValueForbidden',
      field: 'force',
      message: 'Forbidden: may not be specified for non-apply patch',
    })
  }
  if (errors.length > 0) throw invalid({ group: 'meta.k8s.io', kind: 'PatchOptions' }, '', errors)
}

/** The configuration of an apply, with the name and namespace that it is applied to. Throws 400. */
export function readConfiguration(document: unknown, write: WriteRequest): KubeObject {
  if (typeof document !== 'object' || document === null || Array.isArray(document))
    throw badRequest('error decoding YAML: the configuration is not an object')
  const { apiVersion, kind, metadata } = document as Partial<KubeObject>
  if (!kind) throw badRequest(`Object 'Kind' is missing in '${JSON.stringify(document)}'`)
  if (!apiVersion) throw badRequest(`Object 'apiVersion' is missing in '${JSON.stringify(document)}'`)
  const expected = write.ownKind
  if (apiVersion !== expected.apiVersion) {
    throw badRequest(
      `Incorrect version specified in apply patch. Specified patch version: ${apiVersion}, expected: ${expected.apiVersion}`,
    )
  }
  const { namespace, name } = write.request
  return {
    ...document,
    metadata: { name, ...(namespace && { namespace }), ...metadata },
  } as KubeObject
}
