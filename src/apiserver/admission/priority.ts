// Gives pods the number behind their priority class, and keeps at most one class the default.
// Upstream: plugin/pkg/admission/priority.
import type { Pod } from '../../api/types/core-v1.ts'
import type { PriorityClass } from '../../api/types/scheduling-v1.ts'
import { type AdmissionAttributes, type AdmissionPlugin, isResource, refuse } from './admission.ts'
import type { ObjectLookup } from './object-lookup.ts'

export function priority(lookup: ObjectLookup): AdmissionPlugin {
  return {
    name: 'Priority',
    async admit(attributes) {
      const { operation, subresource } = attributes
      if (!isResource(attributes, 'pods') || subresource) return
      if (operation === 'CREATE') await admitNewPod(attributes, lookup)
      if (operation === 'UPDATE') keepPriority(attributes)
    },
    async validate(attributes) {
      const { operation } = attributes
      if (!isResource(attributes, 'priorityclasses', 'scheduling.k8s.io')) return
      if (operation === 'CREATE' || operation === 'UPDATE') await checkOneDefault(attributes, lookup)
    },
  }
}

async function admitNewPod(attributes: AdmissionAttributes, lookup: ObjectLookup): Promise<void> {
  const { spec } = attributes.object as unknown as Pod
  const found = spec.priorityClassName
    ? named(attributes, spec.priorityClassName, lookup)
    : await findDefault(lookup)
  const value = found?.value ?? 0
  const policy = found?.preemptionPolicy ?? 'PreemptLowerPriority'
  if (found && !spec.priorityClassName) spec.priorityClassName = found.metadata.name
  if (spec.priority !== undefined && spec.priority !== value) {
    throw refuse(
      attributes,
      `the integer value of priority (${spec.priority}) must not be provided in pod spec; priority admission controller computed ${value} from the given PriorityClass name`,
    )
  }
  if (spec.preemptionPolicy !== undefined && spec.preemptionPolicy !== policy) {
    throw refuse(
      attributes,
      `the string value of PreemptionPolicy (${spec.preemptionPolicy}) must not be provided in pod spec; priority admission controller computed ${policy} from the given PriorityClass name`,
    )
  }
  spec.priority = value
  spec.preemptionPolicy = policy
}

function named(attributes: AdmissionAttributes, name: string, lookup: ObjectLookup): PriorityClass {
  const found = lookup.priorityClass(name)
  if (!found) throw refuse(attributes, `no PriorityClass with name ${name} was found`)
  return found as unknown as PriorityClass
}

/** Of several defaults, which only a race can make, the lowest counts. */
async function findDefault(lookup: ObjectLookup): Promise<PriorityClass | undefined> {
  const defaults = (await allClasses(lookup)).filter(({ globalDefault }) => globalDefault)
  return defaults.sort((a, b) => a.value - b.value)[0]
}

/** A client that does not know these fields must not clear them by sending the pod back without them. */
function keepPriority({ object, oldObject }: AdmissionAttributes): void {
  const { spec } = object as unknown as Pod
  const { spec: old } = oldObject as unknown as Pod
  if (spec.priority === undefined && old.priority !== undefined) spec.priority = old.priority
  if (spec.preemptionPolicy === undefined && old.preemptionPolicy !== undefined) {
    spec.preemptionPolicy = old.preemptionPolicy
  }
}

async function checkOneDefault(attributes: AdmissionAttributes, lookup: ObjectLookup): Promise<void> {
  const { globalDefault, metadata } = attributes.object as unknown as PriorityClass
  if (!globalDefault) return
  const other = (await allClasses(lookup)).find(
    found => found.globalDefault && found.metadata.name !== metadata.name,
  )
  if (!other) return
  throw refuse(
    attributes,
    `PriorityClass ${other.metadata.name} is already marked as default. Only one default can exist`,
  )
}

async function allClasses(lookup: ObjectLookup): Promise<PriorityClass[]> {
  return (await lookup.priorityClasses()) as unknown as PriorityClass[]
}
