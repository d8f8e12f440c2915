// What a Pod's RuntimeClass adds to it: overhead, node selector, tolerations. Upstream: plugin/pkg/admission/runtimeclass.
import { isDeepStrictEqual } from 'node:util'
import { parseAmounts } from '../../api/pod/resources.ts'
import type { Pod } from '../../api/types/core-v1.ts'
import type { RuntimeClass } from '../../api/types/node-v1.ts'
import { goQuote } from '../../api/validation/field-error.ts'
import { type AdmissionAttributes, type AdmissionPlugin, isResource, refuse } from './admission.ts'
import type { ObjectLookup } from './object-lookup.ts'

export function runtimeClass(lookup: ObjectLookup): AdmissionPlugin {
  return {
    name: 'RuntimeClass',
    admit(attributes) {
      if (!isNewPod(attributes)) return
      const pod = attributes.object as unknown as Pod
      const found = classOf(attributes, pod, lookup)
      if (found) {
        addOverhead(attributes, pod, found)
        addScheduling(attributes, pod, found)
      }
    },
    validate(attributes) {
      if (!isNewPod(attributes)) return
      const pod = attributes.object as unknown as Pod
      const fixed = classOf(attributes, pod, lookup)?.overhead?.podFixed
      if (pod.spec.overhead && !fixed) {
        throw refuse(
          attributes,
          'pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead',
        )
      }
    },
  }
}

function isNewPod(attributes: AdmissionAttributes): boolean {
  return isResource(attributes, 'pods') && !attributes.subresource && attributes.operation === 'CREATE'
}

function classOf(
  attributes: AdmissionAttributes,
  { spec }: Pod,
  lookup: ObjectLookup,
): RuntimeClass | undefined {
  const { runtimeClassName } = spec
  if (!runtimeClassName) return undefined
  const found = lookup.find('node.k8s.io/runtimeclasses', runtimeClassName)
  if (!found) throw refuse(attributes, `pod rejected: RuntimeClass ${goQuote(runtimeClassName)} not found`)
  return found as unknown as RuntimeClass
}

function addOverhead(attributes: AdmissionAttributes, { spec }: Pod, { overhead }: RuntimeClass): void {
  const fixed = overhead?.podFixed
  if (!fixed) return
  const amounts = (list: Record<string, string> | undefined) =>
    [...parseAmounts(list)].map(([name, amount]) => [name, amount.toString()]).sort()
  if (spec.overhead && !isDeepStrictEqual(amounts(spec.overhead), amounts(fixed))) {
    throw refuse(attributes, "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead")
  }
  spec.overhead = { ...fixed }
}

function addScheduling(attributes: AdmissionAttributes, { spec }: Pod, { scheduling }: RuntimeClass): void {
  if (!scheduling) return
  for (const [key, value] of Object.entries(scheduling.nodeSelector ?? {})) {
    const own = spec.nodeSelector?.[key]
    if (own !== undefined && own !== value) {
      throw refuse(
        attributes,
        `conflict: runtimeClass.scheduling.nodeSelector[${key}] = ${value}; pod.spec.nodeSelector[${key}] = ${own}`,
      )
    }
    spec.nodeSelector = { ...spec.nodeSelector, [key]: value }
  }
  const missing = (scheduling.tolerations ?? []).filter(
    toleration => !spec.tolerations?.some(own => isDeepStrictEqual(own, toleration)),
  )
  if (missing.length > 0) spec.tolerations = [...(spec.tolerations ?? []), ...structuredClone(missing)]
}
