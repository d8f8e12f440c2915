// Containers of every kind. Upstream: validateContainers, validateInitContainers, validateEphemeralContainers,
// validateContainerCommon.
import { isDns1123Label } from '../../names.ts'
import { isSidecar } from '../../pod/sidecar.ts'
import type {
  Container,
  ContainerResizePolicy,
  ContainerRestartRule,
  EphemeralContainer,
} from '../../types/core-v1.ts'
import {
  duplicate,
  each,
  type FieldError,
  forbiddenField,
  invalidValue,
  notFoundValue,
  notSupported,
  oneOf,
  required,
  tooLong,
} from '../field-error.ts'
import { validateEnv, validateEnvFrom } from './environment.ts'
import type { PodContext } from './pod-context.ts'
import { validateContainerPorts, validateHostPortClashes } from './ports.ts'
import { validateLifecycle, validateProbes } from './probes.ts'
import { PULL_POLICIES } from './pull-policy.ts'
import { validateResources } from './resources.ts'
import { validateSecurityContext } from './security-context.ts'
import { validateVolumeDevices, validateVolumeMounts } from './volume-mounts.ts'

const MESSAGE_POLICIES = ['File', 'FallbackToLogsOnError']
const RESTART_POLICIES = ['Always', 'Never', 'OnFailure']
const MOST_RESTART_RULES = 20

export function validateContainers(context: PodContext, path: string): FieldError[] {
  const { containers } = context.spec
  if (!containers || containers.length === 0) return [required(path)]
  const seen = new Set<string>()
  const errors = containers.flatMap((container, index) => {
    const at = `${path}[${index}]`
    const own = validateCommon(container, context, at)
    if (seen.has(container.name)) own.push(duplicate(`${at}.name`, container.name))
    seen.add(container.name)
    if (container.lifecycle) own.push(...validateLifecycle(container.lifecycle, context, `${at}.lifecycle`))
    return [...own, ...validateProbes(container, context, at), ...validateRestartRules(container, at)]
  })
  return [...errors, ...validateHostPortClashes(containers, path)]
}

const ONLY_SIDECARS = ['lifecycle', 'livenessProbe', 'readinessProbe', 'startupProbe'] as const

export function validateInitContainers(context: PodContext, path: string): FieldError[] {
  const seen = new Set((context.spec.containers ?? []).map(({ name }) => name))
  return (context.spec.initContainers ?? []).flatMap((container, index) => {
    const at = `${path}[${index}]`
    const errors = [...validateCommon(container, context, at), ...validateRestartRules(container, at)]
    if (seen.has(container.name)) errors.push(duplicate(`${at}.name`, container.name))
    else if (container.name) seen.add(container.name)
    errors.push(...validateHostPortClashes([container], path))
    if (isSidecar(container)) {
      if (container.lifecycle)
        errors.push(...validateLifecycle(container.lifecycle, context, `${at}.lifecycle`))
      if (container.lifecycle?.type !== undefined)
        errors.push(forbiddenField(`${at}.lifecycle.type`, 'may not be set for init containers'))
      return [...errors, ...validateProbes(container, context, at)]
    }
    for (const field of ONLY_SIDECARS.filter(name => container[name])) {
      const detail = 'may not be set for init containers without restartPolicy=Always'
      errors.push(forbiddenField(`${at}.${field}`, detail))
    }
    return errors
  })
}

/** Upstream: allowedEphemeralContainerFields, the other way round, in the order of the Go fields. */
const EPHEMERAL_FORBIDDEN = [
  'ports',
  'resources',
  'resizePolicy',
  'restartPolicy',
  'restartPolicyRules',
  'livenessProbe',
  'readinessProbe',
  'startupProbe',
  'lifecycle',
] as const
const NOT_FOR_EPHEMERAL = 'cannot be set for an Ephemeral Container'

export function validateEphemeralContainers(context: PodContext, path: string): FieldError[] {
  const { containers = [], initContainers = [], ephemeralContainers = [] } = context.spec
  const others = new Set([...containers, ...initContainers].map(({ name }) => name))
  const taken = new Set(others)
  return ephemeralContainers.flatMap((container, index) => {
    const at = `${path}[${index}]`
    const errors = [...validateCommon(container, context, at), ...validateOnlyForPod(container, at)]
    if (taken.has(container.name)) errors.push(duplicate(`${at}.name`, container.name))
    taken.add(container.name)
    const target = container.targetContainerName
    if (target && !others.has(target)) errors.push(notFoundValue(`${at}.targetContainerName`, target))
    return [...errors, ...ephemeralRestrictions(container, at)]
  })
}

function ephemeralRestrictions(container: EphemeralContainer, path: string): FieldError[] {
  const errors = EPHEMERAL_FORBIDDEN.filter(field => isSet(container[field])).map(field =>
    forbiddenField(`${path}.${field}`, NOT_FOR_EPHEMERAL),
  )
  for (const [index, mount] of (container.volumeMounts ?? []).entries()) {
    for (const field of ['subPath', 'subPathExpr'] as const) {
      const at = `${path}.volumeMounts[${index}].${field}`
      if (mount[field]) errors.push(forbiddenField(at, NOT_FOR_EPHEMERAL))
    }
  }
  return errors
}

/** Empty resources and lists are the zero value of Go, so not set. */
const isSet = (value: unknown): boolean =>
  value !== undefined && (typeof value !== 'object' || Object.keys(value as object).length > 0)

/** What holds in Pods but not in templates. Upstream: validateContainerOnlyForPod. */
export function validateOnlyForPod(
  { image = '' }: Container | EphemeralContainer,
  path: string,
): FieldError[] {
  if (image === image.trim()) return []
  return [invalidValue(`${path}.image`, image, 'must not have leading or trailing whitespace')]
}

function validateCommon(
  container: Container | EphemeralContainer,
  context: PodContext,
  path: string,
): FieldError[] {
  const { name } = container
  return [
    ...(name ? each(`${path}.name`, name, isDns1123Label) : [required(`${path}.name`)]),
    ...(container.image ? [] : [required(`${path}.image`)]),
    ...oneOf(`${path}.terminationMessagePolicy`, container.terminationMessagePolicy, MESSAGE_POLICIES),
    ...validateContainerPorts(container.ports ?? [], `${path}.ports`),
    ...validateEnv(container.env ?? [], `${path}.env`),
    ...validateEnvFrom(container.envFrom ?? [], `${path}.envFrom`),
    ...validateVolumeMounts(container, context, `${path}.volumeMounts`),
    ...validateVolumeDevices(container, context, `${path}.volumeDevices`),
    ...oneOf(`${path}.imagePullPolicy`, container.imagePullPolicy, PULL_POLICIES),
    ...validateResources(container.resources ?? {}, context.claimNames, `${path}.resources`),
    ...validateResizePolicy(container.resizePolicy ?? [], context, `${path}.resizePolicy`),
    ...validateSecurityContext(container.securityContext, context, `${path}.securityContext`),
  ]
}

const RESIZABLE = ['cpu', 'memory']
const RESIZE_POLICIES = ['NotRequired', 'RestartContainer']

function validateResizePolicy(
  list: readonly ContainerResizePolicy[],
  { spec }: PodContext,
  path: string,
): FieldError[] {
  const seen = new Set<string>()
  return list.flatMap(({ resourceName, restartPolicy }, index) => {
    const errors = seen.has(resourceName) ? [duplicate(`${path}[${index}]`, resourceName)] : []
    seen.add(resourceName)
    errors.push(...oneOf(path, resourceName, RESIZABLE), ...oneOf(path, restartPolicy, RESIZE_POLICIES))
    if (spec.restartPolicy === 'Never' && restartPolicy !== 'NotRequired') {
      const detail = "must be 'NotRequired' when `restartPolicy` is 'Never'"
      errors.push(invalidValue(path, restartPolicy, detail))
    }
    return errors
  })
}

/** Upstream: validateContainerRestartPolicy. */
function validateRestartRules(container: Container, path: string): FieldError[] {
  const { restartPolicy, restartPolicyRules = [] } = container
  const errors: FieldError[] = []
  if (restartPolicy === undefined) {
    if (restartPolicyRules.length === 0) return []
    errors.push(required(`${path}.restartPolicy`, 'must specify restartPolicy when restart rules are used'))
  } else if (!RESTART_POLICIES.includes(restartPolicy)) {
    errors.push(notSupported(`${path}.restartPolicy`, restartPolicy, RESTART_POLICIES))
  }
  if (restartPolicyRules.length > MOST_RESTART_RULES)
    errors.push(tooLong(`${path}.restartPolicyRules`, MOST_RESTART_RULES))
  return [
    ...errors,
    ...restartPolicyRules.flatMap((rule, index) =>
      validateRestartRule(rule, `${path}.restartPolicyRules[${index}]`),
    ),
  ]
}

const RULE_ACTIONS = ['Restart', 'RestartAllContainers']
const RULE_OPERATORS = ['In', 'NotIn']
const MOST_EXIT_CODES = 255

function validateRestartRule(rule: ContainerRestartRule, path: string): FieldError[] {
  const errors: FieldError[] = []
  // Upstream names only the first action here, though it takes both.
  if (!RULE_ACTIONS.includes(rule.action ?? ''))
    errors.push(notSupported(`${path}.action`, rule.action ?? '', ['Restart']))
  if (!rule.exitCodes) return [...errors, required(`${path}.exitCodes`, 'must be specified')]
  const { operator, values = [] } = rule.exitCodes
  if (!RULE_OPERATORS.includes(operator ?? ''))
    errors.push(notSupported(`${path}.exitCodes.operator`, operator ?? '', RULE_OPERATORS))
  if (values.length > MOST_EXIT_CODES) errors.push(tooLong(`${path}.exitCodes.values`, MOST_EXIT_CODES))
  return errors
}
