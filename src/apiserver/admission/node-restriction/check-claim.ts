// What a kubelet may tell of a claim: how large its volume is, and how its growing goes.
import { isDeepStrictEqual } from 'node:util'
import type { KubeObject } from '../../../api/kube-object.ts'
import { goQuote } from '../../../api/validation/field-error.ts'
import { unifiedDiff } from '../../../api/validation/unified-diff.ts'
import { type AdmissionAttributes, refuse } from '../admission.ts'

export function checkClaim(nodeName: string, attributes: AdmissionAttributes): void {
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
