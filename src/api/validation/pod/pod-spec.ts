// A pod spec, in a Pod or in a template. Upstream: ValidatePodSpec.
import { isDns1123Label, isDns1123Subdomain, isLabelValue, isQualifiedName } from '../../names.ts'
import type { PodSpec, Toleration } from '../../types/core-v1.ts'
import {
  duplicate,
  each,
  type FieldError,
  forbiddenField,
  invalidValue,
  notSupported,
  required,
  tooMany,
} from '../field-error.ts'
import { validateLabels } from '../object-meta.ts'
import { validateAffinity } from './affinity.ts'
import { validateContainers, validateEphemeralContainers, validateInitContainers } from './containers.ts'
import type { PodContext } from './pod-context.ts'
import { validatePodLevelResources } from './resources.ts'
import { validatePodSecurityContext } from './security-context.ts'
import { validateVolumes } from './volumes.ts'

const RESTART_POLICIES = ['Always', 'OnFailure', 'Never']
const DNS_POLICIES = ['ClusterFirstWithHostNet', 'ClusterFirst', 'Default', 'None']
const PREEMPTION_POLICIES = ['PreemptLowerPriority', 'Never']
const MOST_SECONDS = 2_147_483_647

export function contextOf(spec: PodSpec): PodContext {
  return {
    spec,
    volumes: new Map((spec.volumes ?? []).map(volume => [volume.name, volume])),
    gracePeriodSeconds: spec.terminationGracePeriodSeconds ?? 30,
  }
}

export function validatePodSpec(spec: PodSpec, path: string): FieldError[] {
  const context = contextOf(spec)
  return [
    ...validateVolumes(spec.volumes ?? [], `${path}.volumes`),
    ...validateContainers(context, `${path}.containers`),
    ...validateInitContainers(context, `${path}.initContainers`),
    ...validateEphemeralContainers(context, `${path}.ephemeralContainers`),
    ...validatePodLevelResources(spec, `${path}.resources`),
    ...validatePolicies(spec, path),
    ...validateLabels(spec.nodeSelector, `${path}.nodeSelector`),
    ...validatePodSecurityContext(spec.securityContext, spec, `${path}.securityContext`),
    ...validateNames(spec, path),
    ...validateAffinity(spec.affinity, `${path}.affinity`),
    ...validateDns(spec, path),
    ...(spec.readinessGates ?? []).flatMap(({ conditionType }, index) =>
      each(`${path}.readinessGates[${index}].conditionType`, conditionType, isQualifiedName),
    ),
    ...validateGates(spec, path),
    ...validateTopologySpread(spec, path),
    ...validateTolerations(spec.tolerations ?? [], `${path}.tolerations`),
    ...validateHostAliases(spec, path),
    ...validateHost(spec, path),
  ]
}

function validatePolicies(spec: PodSpec, path: string): FieldError[] {
  const errors: FieldError[] = []
  if (!spec.restartPolicy) errors.push(required(`${path}.restartPolicy`))
  else if (!RESTART_POLICIES.includes(spec.restartPolicy)) {
    errors.push(notSupported(`${path}.restartPolicy`, spec.restartPolicy, RESTART_POLICIES))
  }
  if (!spec.dnsPolicy) errors.push(required(`${path}.dnsPolicy`))
  else if (!DNS_POLICIES.includes(spec.dnsPolicy))
    errors.push(notSupported(`${path}.dnsPolicy`, spec.dnsPolicy, DNS_POLICIES))
  const grace = spec.terminationGracePeriodSeconds
  if (grace === undefined) errors.push(required(`${path}.terminationGracePeriodSeconds`))
  const deadline = spec.activeDeadlineSeconds
  if (deadline !== undefined && (deadline < 1 || deadline > MOST_SECONDS)) {
    errors.push(
      invalidValue(`${path}.activeDeadlineSeconds`, deadline, 'must be between 1 and 2147483647, inclusive'),
    )
  }
  if (spec.preemptionPolicy !== undefined && !PREEMPTION_POLICIES.includes(spec.preemptionPolicy)) {
    errors.push(notSupported(`${path}.preemptionPolicy`, spec.preemptionPolicy, PREEMPTION_POLICIES))
  }
  return errors
}

const NAMES = {
  serviceAccountName: isDns1123Subdomain,
  nodeName: isDns1123Subdomain,
  hostname: isDns1123Label,
  subdomain: isDns1123Label,
  priorityClassName: isDns1123Subdomain,
  runtimeClassName: isDns1123Subdomain,
} as const

function validateNames(spec: PodSpec, path: string): FieldError[] {
  return Object.entries(NAMES).flatMap(([field, check]) => {
    const value = spec[field as keyof typeof NAMES]
    return value ? each(`${path}.${field}`, value, check) : []
  })
}

function validateDns({ dnsConfig, dnsPolicy }: PodSpec, path: string): FieldError[] {
  const at = `${path}.dnsConfig`
  const servers = dnsConfig?.nameservers ?? []
  if (dnsPolicy === 'None' && !dnsConfig) {
    return [required(at, 'must provide `dnsConfig` when `dnsPolicy` is None')]
  }
  if (!dnsConfig) return []
  const errors: FieldError[] = []
  if (dnsPolicy === 'None' && servers.length === 0) {
    errors.push(
      required(`${at}.nameservers`, 'must provide at least one DNS nameserver when `dnsPolicy` is None'),
    )
  }
  if (servers.length > 3)
    errors.push(invalidValue(`${at}.nameservers`, servers, 'must not have more than 3 nameservers'))
  if ((dnsConfig.searches?.length ?? 0) > 32) {
    errors.push(invalidValue(`${at}.searches`, dnsConfig.searches, 'must not have more than 32 search paths'))
  }
  for (const [index, option] of (dnsConfig.options ?? []).entries()) {
    if (!option.name) errors.push(required(`${at}.options[${index}]`, 'must not be empty'))
  }
  return errors
}

function validateGates({ schedulingGates, nodeName }: PodSpec, path: string): FieldError[] {
  const gates = schedulingGates ?? []
  const seen = new Set<string>()
  const errors = gates.flatMap(({ name }, index) => {
    const at = `${path}.schedulingGates[${index}]`
    const bad = each(at, name, isQualifiedName)
    if (seen.has(name)) bad.push(duplicate(at, name))
    seen.add(name)
    return bad
  })
  if (nodeName && gates.length > 0) {
    errors.push(
      forbiddenField(`${path}.nodeName`, 'cannot be set until all schedulingGates have been cleared'),
    )
  }
  return errors
}

const WHEN_UNSATISFIABLE = ['DoNotSchedule', 'ScheduleAnyway']

function validateTopologySpread({ topologySpreadConstraints }: PodSpec, path: string): FieldError[] {
  return (topologySpreadConstraints ?? []).flatMap((constraint, index) => {
    const at = `${path}.topologySpreadConstraints[${index}]`
    const errors: FieldError[] = []
    if (constraint.maxSkew <= 0)
      errors.push(invalidValue(`${at}.maxSkew`, constraint.maxSkew, 'must be greater than 0'))
    if (!constraint.topologyKey) errors.push(required(`${at}.topologyKey`, 'can not be empty'))
    if (!WHEN_UNSATISFIABLE.includes(constraint.whenUnsatisfiable)) {
      errors.push(notSupported(`${at}.whenUnsatisfiable`, constraint.whenUnsatisfiable, WHEN_UNSATISFIABLE))
    }
    return errors
  })
}

const OPERATORS = ['', 'Equal', 'Exists']
const EFFECTS = ['NoExecute', 'NoSchedule', 'PreferNoSchedule']

export function validateTolerations(list: readonly Toleration[], path: string): FieldError[] {
  return list.flatMap((toleration, index) => {
    const at = `${path}[${index}]`
    const { key, operator = '', value = '', effect, tolerationSeconds } = toleration
    const errors = key ? each(`${at}.key`, key, isQualifiedName) : []
    if (!key && operator !== 'Exists') {
      errors.push(
        invalidValue(
          `${at}.operator`,
          operator,
          'operator must be Exists when `key` is empty, which means "match all values and all keys"',
        ),
      )
    }
    if (tolerationSeconds !== undefined && effect !== 'NoExecute') {
      errors.push(
        invalidValue(`${at}.effect`, effect, "effect must be 'NoExecute' when `tolerationSeconds` is set"),
      )
    }
    if (!OPERATORS.includes(operator))
      errors.push(notSupported(`${at}.operator`, operator, ['Equal', 'Exists']))
    else if (operator === 'Exists') {
      if (value)
        errors.push(
          invalidValue(`${at}.operator`, toleration, "value must be empty when `operator` is 'Exists'"),
        )
    } else errors.push(...each(`${at}.operator`, value, isLabelValue))
    if (effect && !EFFECTS.includes(effect)) errors.push(notSupported(`${at}.effect`, effect, EFFECTS))
    return errors
  })
}

function validateHostAliases({ hostAliases }: PodSpec, path: string): FieldError[] {
  return (hostAliases ?? []).flatMap(({ ip, hostnames }, index) => {
    const at = `${path}.hostAliases[${index}]`
    const errors = isIp(ip)
      ? []
      : [invalidValue(`${at}.ip`, ip, 'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)')]
    return [
      ...errors,
      ...(hostnames ?? []).flatMap(name => each(`${at}.hostnames`, name, isDns1123Subdomain)),
    ]
  })
}

const isIp = (text: string | undefined) =>
  text !== undefined &&
  (/^(\d{1,3}\.){3}\d{1,3}$/.test(text)
    ? text.split('.').every(part => Number(part) < 256)
    : text.includes(':'))

const MOST_RESOURCE_CLAIMS = 32

function validateHost(spec: PodSpec, path: string): FieldError[] {
  const errors: FieldError[] = []
  if (spec.hostUsers === false) {
    for (const field of ['hostNetwork', 'hostPID', 'hostIPC'] as const) {
      if (spec[field]) errors.push(forbiddenField(`${path}.${field}`, 'when `hostUsers` is false'))
    }
  }
  if (spec.hostNetwork) {
    for (const [list, containers] of Object.entries({
      containers: spec.containers,
      initContainers: spec.initContainers,
    })) {
      for (const [index, container] of (containers ?? []).entries()) {
        for (const [at, port] of (container.ports ?? []).entries()) {
          if (port.hostPort !== port.containerPort) {
            const field = `${path}.${list}[${index}].ports[${at}].containerPort`
            errors.push(
              invalidValue(field, port.containerPort, 'must match `hostPort` when `hostNetwork` is true'),
            )
          }
        }
      }
    }
  }
  const claims = spec.resourceClaims?.length ?? 0
  if (claims > MOST_RESOURCE_CLAIMS)
    errors.push(tooMany(`${path}.resourceClaims`, claims, MOST_RESOURCE_CLAIMS))
  if (spec.os && !['linux', 'windows'].includes(spec.os.name)) {
    errors.push(notSupported(`${path}.os.name`, spec.os.name, ['linux', 'windows']))
  }
  return errors
}
