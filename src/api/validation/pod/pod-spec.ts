// A pod spec, in a Pod or in a template; checks in upstream's order. Upstream: ValidatePodSpec.
import {
  isDns1123Label,
  isDns1123Subdomain,
  isDns1123SubdomainWithUnderscore,
  isQualifiedName,
} from '../../names.ts'
import type { HostAlias, PodResourceClaim, PodSpec } from '../../types/core-v1.ts'
import { validateIp } from '../addresses.ts'
import {
  duplicate,
  each,
  type FieldError,
  forbiddenField,
  invalidValue,
  oneOf,
  required,
  tooLong,
  WHOLE,
} from '../field-error.ts'
import { internalForm } from '../internal-json.ts'
import { validateLabels } from '../object-meta.ts'
import { validateAffinity } from './affinity.ts'
import { validateContainers, validateEphemeralContainers, validateInitContainers } from './containers.ts'
import { validateFileKeyVolumes } from './environment.ts'
import { containersOf, contextOf, type PodContext, type PodFrame } from './pod-context.ts'
import { validateHostNetworkPorts } from './ports.ts'
import { validatePodLevelResources, validateResources } from './resources.ts'
import { validateGates, validateTolerations, validateTopologySpread } from './scheduling.ts'
import { validateHostUsers, validatePodSecurityContext } from './security-context.ts'
import { validateVolumes } from './volumes.ts'
import { validateHostProcess, validateOs } from './windows.ts'

const RESTART_POLICIES = ['Always', 'OnFailure', 'Never']
const DNS_POLICIES = ['ClusterFirstWithHostNet', 'ClusterFirst', 'Default', 'None']
const PREEMPTION_POLICIES = ['PreemptLowerPriority', 'Never']
const MOST_SECONDS = 2_147_483_647

export function validatePodSpec(spec: PodSpec, path: string, frame: PodFrame = {}): FieldError[] {
  const whole = contextOf(spec, path, frame)
  const { errors: volumeErrors, volumes } = validateVolumes(whole, `${path}.volumes`)
  const context: PodContext = { ...whole, volumes }
  return [
    ...(spec.terminationGracePeriodSeconds === undefined
      ? [required(`${path}.terminationGracePeriodSeconds`)]
      : []),
    ...volumeErrors,
    ...validateResourceClaims(context, `${path}.resourceClaims`),
    ...validateContainers(context, `${path}.containers`),
    ...validateInitContainers(context, `${path}.initContainers`),
    ...validateEphemeralContainers(context, `${path}.ephemeralContainers`),
    ...validatePodLevelResources(spec, context.claimNames, `${path}.resources`),
    ...validateHostNetworkPorts(context),
    ...validateWhole(context),
    ...validateIdentity(context),
  ]
}

function validateWhole(context: PodContext): FieldError[] {
  const { spec, path } = context
  const devices = [...containersOf(spec, path)]
    .filter(([container]) => (container.volumeDevices ?? []).length > 0)
    .map(([, at]) => `${at}.volumeDevices`)
  return [
    ...oneOf(`${path}.restartPolicy`, spec.restartPolicy, RESTART_POLICIES),
    ...oneOf(`${path}.dnsPolicy`, spec.dnsPolicy, DNS_POLICIES),
    ...validateLabels(spec.nodeSelector, `${path}.nodeSelector`),
    ...validatePodSecurityContext(spec.securityContext, spec, `${path}.securityContext`),
    ...validateAffinity(spec.affinity, `${path}.affinity`),
    ...validateDns(spec, `${path}.dnsConfig`),
    ...(spec.readinessGates ?? []).flatMap(({ conditionType }, index) =>
      each(`${path}.readinessGates[${index}].conditionType`, conditionType, isQualifiedName),
    ),
    ...validateGates(spec.schedulingGates ?? [], `${path}.schedulingGates`),
    ...validateTopologySpread(spec.topologySpreadConstraints ?? [], `${path}.topologySpreadConstraints`),
    ...validateHostProcess(context),
    ...validateHostUsers(context, devices),
    ...validateHostnameOverride(spec, `${path}.hostnameOverride`),
  ]
}

const named = (
  value: string | undefined,
  path: string,
  check: (name: string) => string[] = isDns1123Subdomain,
) => (value ? each(path, value, check) : [])

function validateIdentity(context: PodContext): FieldError[] {
  const { spec, path } = context
  const deadline = spec.activeDeadlineSeconds
  const { claimNames } = context
  return [
    ...named(spec.serviceAccountName, `${path}.serviceAccountName`),
    ...named(spec.nodeName, `${path}.nodeName`),
    ...(deadline !== undefined && (deadline < 1 || deadline > MOST_SECONDS)
      ? [
          invalidValue(
            `${path}.activeDeadlineSeconds`,
            deadline,
            `must be between 1 and ${MOST_SECONDS}, inclusive`,
          ),
        ]
      : []),
    ...named(spec.hostname, `${path}.hostname`, isDns1123Label),
    ...named(spec.subdomain, `${path}.subdomain`, isDns1123Label),
    ...validateTolerations(spec.tolerations ?? [], `${path}.tolerations`),
    ...validateHostAliases(spec.hostAliases ?? [], `${path}.hostAliases`),
    ...named(spec.priorityClassName, `${path}.priorityClassName`),
    ...(spec.runtimeClassName === undefined
      ? []
      : each(`${path}.runtimeClassName`, spec.runtimeClassName, isDns1123Subdomain)),
    ...(spec.preemptionPolicy === undefined
      ? []
      : oneOf(`${path}.preemptionPolicy`, spec.preemptionPolicy, PREEMPTION_POLICIES)),
    ...(spec.overhead ? validateResources({ limits: spec.overhead }, claimNames, `${path}.overhead`) : []),
    ...validateOs(context),
    ...validateFileKeyVolumes(context),
  ]
}

function validateResourceClaims({ spec, isMirrorPod }: PodContext, path: string): FieldError[] {
  const seen = new Set<string>()
  return (spec.resourceClaims ?? []).flatMap((claim, index) =>
    isMirrorPod
      ? [forbiddenField(WHOLE, 'static pods do not support resource claims')]
      : validateResourceClaim(claim, seen, `${path}[${index}]`),
  )
}

function validateResourceClaim(claim: PodResourceClaim, seen: Set<string>, path: string): FieldError[] {
  const { name, resourceClaimName: direct, resourceClaimTemplateName: template } = claim
  const errors: FieldError[] = []
  if (!name) errors.push(required(`${path}.name`))
  else if (seen.has(name)) errors.push(duplicate(`${path}.name`, name))
  else errors.push(...each(`${path}.name`, name, isDns1123Label))
  seen.add(name)
  const shown = () => internalForm('core/v1.PodResourceClaim', { ...claim })
  if (direct !== undefined && template !== undefined) {
    const detail = 'at most one of `resourceClaimName` or `resourceClaimTemplateName` may be specified'
    errors.push(invalidValue(path, shown(), detail))
  }
  if (direct === undefined && template === undefined) {
    const detail = 'must specify one of: `resourceClaimName`, `resourceClaimTemplateName`'
    errors.push(invalidValue(path, shown(), detail))
  }
  if (direct !== undefined) errors.push(...each(`${path}.resourceClaimName`, direct, isDns1123Subdomain))
  if (template !== undefined)
    errors.push(...each(`${path}.resourceClaimTemplateName`, template, isDns1123Subdomain))
  return errors
}

const MOST_NAMESERVERS = 3
const MOST_SEARCHES = 32
const LONGEST_SEARCHES = 2_048

function validateDns({ dnsConfig, dnsPolicy }: PodSpec, path: string): FieldError[] {
  const { nameservers = [], searches = [], options = [] } = dnsConfig ?? {}
  if (dnsPolicy === 'None' && !dnsConfig)
    return [required(path, 'must provide `dnsConfig` when `dnsPolicy` is None')]
  if (dnsPolicy === 'None' && nameservers.length === 0) {
    const detail = 'must provide at least one DNS nameserver when `dnsPolicy` is None'
    return [required(`${path}.nameservers`, detail)]
  }
  const errors: FieldError[] = []
  if (nameservers.length > MOST_NAMESERVERS) {
    const detail = `must not have more than ${MOST_NAMESERVERS} nameservers`
    errors.push(invalidValue(`${path}.nameservers`, nameservers, detail))
  }
  errors.push(...nameservers.flatMap((text, index) => validateIp(text, `${path}.nameservers[${index}]`)))
  if (searches.length > MOST_SEARCHES) {
    const detail = `must not have more than ${MOST_SEARCHES} search paths`
    errors.push(invalidValue(`${path}.searches`, searches, detail))
  }
  if (searches.join(' ').length > LONGEST_SEARCHES) {
    const detail = `must not have more than ${LONGEST_SEARCHES} characters (including spaces) in the search list`
    errors.push(invalidValue(`${path}.searches`, searches, detail))
  }
  for (const [index, search] of searches.entries()) {
    if (search === '.') continue
    const name = search.replace(/\.$/, '')
    errors.push(...each(`${path}.searches[${index}]`, name, isDns1123SubdomainWithUnderscore))
  }
  for (const [index, { name }] of options.entries()) {
    if (!name) errors.push(required(`${path}.options[${index}]`, 'must not be empty'))
  }
  return errors
}

const LONGEST_HOSTNAME = 64

function validateHostnameOverride(spec: PodSpec, path: string): FieldError[] {
  const name = spec.hostnameOverride
  if (name === undefined) return []
  const errors: FieldError[] = []
  if (spec.setHostnameAsFQDN)
    errors.push(forbiddenField(path, 'may not be specified when setHostnameAsFQDN is true'))
  if (spec.hostNetwork) errors.push(forbiddenField(path, 'may not be specified when hostNetwork is true'))
  if (name.length > LONGEST_HOSTNAME) errors.push(tooLong(path, LONGEST_HOSTNAME))
  return [...errors, ...each(path, name, isDns1123Subdomain)]
}

function validateHostAliases(aliases: readonly HostAlias[], path: string): FieldError[] {
  return aliases.flatMap(({ ip, hostnames }, index) => [
    ...validateIp(ip ?? '', `${path}[${index}].ip`),
    ...(hostnames ?? []).flatMap((name, at) =>
      each(`${path}[${index}].hostnames[${at}]`, name, isDns1123Subdomain),
    ),
  ])
}
