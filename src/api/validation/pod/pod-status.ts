// Updates of a Pod's status. Upstream: ValidatePodStatusUpdate.
import { isDns1123Subdomain, isQualifiedName } from '../../names.ts'
import { hasRestartAllRule, restartsAfter } from '../../pod/restart.ts'
import type { Container, ContainerStatus, Pod, PodCondition } from '../../types/core-v1.ts'
import { isDualStack, validateIp } from '../addresses.ts'
import { duplicate, each, type FieldError, forbiddenField, immutable, invalidValue } from '../field-error.ts'
import { validateObjectMetaUpdate } from '../object-meta.ts'
import { validatePodAnnotationsUpdate } from './annotations.ts'
import { validateId } from './security-context.ts'

export function validatePodStatusUpdate(pod: Pod, old: Pod): FieldError[] {
  const { status, spec } = pod
  const before = old.status
  return [
    ...validateObjectMetaUpdate(pod.metadata, old.metadata),
    ...validatePodAnnotationsUpdate(pod, old),
    ...validateConditions(status.conditions ?? []),
    ...(spec.nodeName !== old.spec.nodeName
      ? [forbiddenField('status.nodeName', 'may not be changed directly')]
      : []),
    ...nominatedNode(pod, old),
    ...generation(status.observedGeneration, 'status.observedGeneration'),
    ...(before.qosClass ? immutable('status.qosClass', status.qosClass ?? '', before.qosClass) : []),
    ...terminatedStays(pod, old),
    ...claimStatuses(pod),
    ...addresses(status.podIPs ?? [], before.podIPs ?? [], 'status.podIPs'),
    ...hostAddresses(pod, old),
    ...(['containerStatuses', 'initContainerStatuses', 'ephemeralContainerStatuses'] as const).flatMap(list =>
      users(status[list] ?? [], spec.os?.name ?? 'linux', `status.${list}`),
    ),
  ]
}

const generation = (value: number | undefined, path: string): FieldError[] =>
  value !== undefined && value < 0 ? [invalidValue(path, value, 'must be a non-negative integer')] : []

const SYSTEM_CONDITIONS = new Set(['PodScheduled', 'Ready', 'Initialized'])

function validateConditions(conditions: readonly PodCondition[]): FieldError[] {
  return conditions.flatMap(({ type, observedGeneration }, index) => {
    const at = `status.conditions[${index}]`
    const errors = generation(observedGeneration, `${at}.observedGeneration`)
    return SYSTEM_CONDITIONS.has(type) ? errors : [...errors, ...each(`${at}.Type`, type, isQualifiedName)]
  })
}

function nominatedNode({ status }: Pod, old: Pod): FieldError[] {
  const name = status.nominatedNodeName
  if (!name || name === old.status.nominatedNodeName) return []
  const field = 'status.nominatedNodeName'
  const errors = each(field, name, isDns1123Subdomain)
  return old.spec.nodeName
    ? [...errors, forbiddenField(field, 'may not be set on pods that are already bound to a node')]
    : errors
}

/** A container that ended for good does not run again. Upstream: ValidateContainerStateTransition and its sisters. */
function terminatedStays(pod: Pod, old: Pod): FieldError[] {
  const { spec } = old
  const mayRestart = (containers: readonly Container[]) => (name: string, exitCode: number) => {
    const container = containers.find(one => one.name === name)
    return container !== undefined && restartsAfter(container, spec, exitCode)
  }
  const lists = hasRestartAllRule(spec)
    ? []
    : ([
        ['containerStatuses', mayRestart(spec.containers)],
        ['initContainerStatuses', mayRestart(spec.initContainers ?? [])],
      ] as const)
  return [...lists, ['ephemeralContainerStatuses', () => false] as const].flatMap(([list, allowed]) =>
    transitions(pod.status[list] ?? [], old.status[list] ?? [], allowed, `status.${list}`),
  )
}

function transitions(
  now: readonly ContainerStatus[],
  before: readonly ContainerStatus[],
  allowed: (name: string, exitCode: number) => boolean,
  path: string,
): FieldError[] {
  return before.flatMap(({ name, state }, index) => {
    const ended = state?.terminated
    if (!ended) return []
    const after = now.find(one => one.name === name)
    if (!after || after.state?.terminated || allowed(name, ended.exitCode)) return []
    return [forbiddenField(`${path}[${index}].state`, 'may not be transitioned to non-terminated state')]
  })
}

function claimStatuses({ spec, status }: Pod): FieldError[] {
  const known = new Set((spec.resourceClaims ?? []).map(({ name }) => name))
  const seen = new Set<string>()
  return (status.resourceClaimStatuses ?? []).flatMap(({ name, resourceClaimName }, index) => {
    const at = `status.resourceClaimStatuses[${index}].name`
    const errors: FieldError[] = []
    if (!known.has(name))
      errors.push(invalidValue(at, name, 'must match the name of an entry in `spec.resourceClaims`'))
    if (seen.has(name)) errors.push(duplicate(at, name))
    seen.add(name)
    return resourceClaimName === undefined
      ? errors
      : [...errors, ...each(at, resourceClaimName, isDns1123Subdomain)]
  })
}

type Addresses = readonly { ip: string }[]

/** Upstream: validatePodIPs. */
function addresses(now: Addresses, before: Addresses, path: string): FieldError[] {
  const had = before.map(({ ip }) => ip)
  const errors = now.flatMap(({ ip }, index) => validateIp(ip, `${path}[${index}]`, had))
  if (now.length < 2 || isDualStack(now.map(({ ip }) => ip))) return errors
  const shown = now.map(({ ip }) => ({ IP: ip }))
  return [...errors, invalidValue(path, shown, 'may specify no more than one IP for each IP family')]
}

function hostAddresses({ status }: Pod, old: Pod): FieldError[] {
  const list = status.hostIPs ?? []
  if (list.length === 0) return []
  const first = list[0]!.ip
  const errors =
    status.hostIP === first ? [] : [invalidValue('status.hostIPs[0].ip', first, 'must be equal to `hostIP`')]
  return [...errors, ...addresses(list, old.status.hostIPs ?? [], 'status.hostIPs')]
}

/** Upstream: validateContainerStatusUsers. */
function users(statuses: readonly ContainerStatus[], os: string, path: string): FieldError[] {
  return statuses.flatMap(({ user }, index) => {
    const linux = user?.linux
    if (!linux) return []
    const at = `${path}[${index}].user.linux`
    if (os === 'windows') return [forbiddenField(at, 'cannot be set for a windows pod')]
    return [
      ...validateId(linux.uid, `${at}.uid`),
      ...validateId(linux.gid, `${at}.gid`),
      ...(linux.supplementalGroups ?? []).flatMap((gid, group) =>
        validateId(gid, `${at}.supplementalGroups[${group}]`),
      ),
    ]
  })
}
