// Containers of every kind. Upstream: validateContainers, validateInitContainers, validateEphemeralContainers,
// validateContainerCommon in pkg/apis/core/validation/validation.go.
import { isDns1123Label } from '../../names.ts'
import { isSidecar } from '../../pod/resources.ts'
import type { Container, ContainerRestartRule, EphemeralContainer } from '../../types/core-v1.ts'
import {
  duplicate,
  each,
  type FieldError,
  forbiddenField,
  invalidValue,
  notFoundValue,
  notSupported,
  required,
  tooMany,
} from '../field-error.ts'
import { validateEnv, validateEnvFrom } from './environment.ts'
import type { PodContext } from './pod-context.ts'
import { validateContainerPorts, validateHostPortClashes } from './ports.ts'
import { validateLifecycle, validateProbes } from './probes.ts'
import { validateResources } from './resources.ts'
import { validateSecurityContext } from './security-context.ts'
import { validateVolumeDevices, validateVolumeMounts } from './volume-mounts.ts'

const PULL_POLICIES = ['Always', 'IfNotPresent', 'Never']
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
    if (container.name) seen.add(container.name)
    own.push(
      ...validateRestartRules(container, at),
      ...(container.lifecycle ? validateLifecycle(container.lifecycle, context, `${at}.lifecycle`) : []),
      ...validateProbes(container, context, at),
    )
    return own
  })
  return [...errors, ...validateHostPortClashes(containers, path)]
}

export function validateInitContainers(context: PodContext, path: string): FieldError[] {
  const seen = new Set((context.spec.containers ?? []).map(({ name }) => name))
  return (context.spec.initContainers ?? []).flatMap((container, index) => {
    const at = `${path}[${index}]`
    const errors = validateCommon(container, context, at)
    errors.push(...validateRestartRules(container, at))
    if (seen.has(container.name)) errors.push(duplicate(`${at}.name`, container.name))
    else if (container.name) seen.add(container.name)
    errors.push(...validateHostPortClashes([container], path))
    if (isSidecar(container)) {
      if (container.lifecycle)
        errors.push(...validateLifecycle(container.lifecycle, context, `${at}.lifecycle`))
      return [...errors, ...validateProbes(container, context, at)]
    }
    for (const field of ['lifecycle', 'livenessProbe', 'readinessProbe', 'startupProbe'] as const) {
      if (container[field]) {
        errors.push(
          forbiddenField(`${at}.${field}`, 'may not be set for init containers without restartPolicy=Always'),
        )
      }
    }
    return errors
  })
}

/** Upstream: allowedEphemeralContainerFields. */
const EPHEMERAL_FORBIDDEN = [
  'ports',
  'livenessProbe',
  'readinessProbe',
  'startupProbe',
  'lifecycle',
  'resources',
  'restartPolicy',
  'restartPolicyRules',
  'resizePolicy',
] as const

export function validateEphemeralContainers(context: PodContext, path: string): FieldError[] {
  const { containers = [], initContainers = [], ephemeralContainers = [] } = context.spec
  const others = new Set([...containers, ...initContainers].map(({ name }) => name))
  const taken = new Set(others)
  return ephemeralContainers.flatMap((container, index) => {
    const at = `${path}[${index}]`
    const errors = validateCommon(container, context, at)
    if (taken.has(container.name)) errors.push(duplicate(`${at}.name`, container.name))
    if (container.name) taken.add(container.name)
    const target = container.targetContainerName
    if (target && !others.has(target)) errors.push(notFoundValue(`${at}.targetContainerName`, target))
    return [...errors, ...ephemeralRestrictions(container, at)]
  })
}

function ephemeralRestrictions(container: EphemeralContainer, path: string): FieldError[] {
  const errors: FieldError[] = []
  for (const field of EPHEMERAL_FORBIDDEN) {
    const value = container[field] as unknown
    const absent =
      value === undefined || (typeof value === 'object' && Object.keys(value as object).length === 0)
    if (!absent) errors.push(forbiddenField(`${path}.${field}`, 'cannot be set for an Ephemeral Container'))
  }
  for (const [index, mount] of (container.volumeMounts ?? []).entries()) {
    for (const field of ['subPath', 'subPathExpr'] as const) {
      if (mount[field]) {
        errors.push(
          forbiddenField(
            `${path}.volumeMounts[${index}].${field}`,
            'cannot be set for an Ephemeral Container',
          ),
        )
      }
    }
  }
  return errors
}

function validateCommon(
  container: Container | EphemeralContainer,
  context: PodContext,
  path: string,
): FieldError[] {
  const errors: FieldError[] = []
  if (!container.name) errors.push(required(`${path}.name`))
  else errors.push(...each(`${path}.name`, container.name, isDns1123Label))
  const image = container.image ?? ''
  if (image === '') errors.push(required(`${path}.image`))
  else if (image !== image.trim())
    errors.push(invalidValue(`${path}.image`, image, 'must not have leading or trailing whitespace'))
  const messagePolicy = container.terminationMessagePolicy
  if (!messagePolicy) errors.push(required(`${path}.terminationMessagePolicy`))
  else if (!MESSAGE_POLICIES.includes(messagePolicy)) {
    errors.push(notSupported(`${path}.terminationMessagePolicy`, messagePolicy, MESSAGE_POLICIES.toSorted()))
  }
  const pullPolicy = container.imagePullPolicy
  return [
    ...errors,
    ...validateContainerPorts(container.ports ?? [], `${path}.ports`),
    ...validateEnv(container.env ?? [], `${path}.env`),
    ...validateEnvFrom(container.envFrom ?? [], `${path}.envFrom`),
    ...validateVolumeMounts(container, context, `${path}.volumeMounts`),
    ...validateVolumeDevices(container, context, `${path}.volumeDevices`),
    ...(pullPolicy && !PULL_POLICIES.includes(pullPolicy)
      ? [notSupported(`${path}.imagePullPolicy`, pullPolicy, PULL_POLICIES)]
      : []),
    ...(pullPolicy ? [] : [required(`${path}.imagePullPolicy`)]),
    ...validateResources(container.resources ?? {}, `${path}.resources`),
    ...validateSecurityContext(container.securityContext, context, `${path}.securityContext`),
  ]
}

/** KEP-5307. */
function validateRestartRules(container: Container, path: string): FieldError[] {
  const { restartPolicy, restartPolicyRules = [] } = container
  const errors: FieldError[] = []
  if (restartPolicy !== undefined && !RESTART_POLICIES.includes(restartPolicy)) {
    errors.push(notSupported(`${path}.restartPolicy`, restartPolicy, RESTART_POLICIES))
  }
  if (restartPolicyRules.length === 0) return errors
  if (restartPolicy === undefined) {
    errors.push(required(`${path}.restartPolicy`, 'must specify restartPolicy when restart rules are used'))
  }
  if (restartPolicyRules.length > MOST_RESTART_RULES) {
    errors.push(tooMany(`${path}.restartPolicyRules`, restartPolicyRules.length, MOST_RESTART_RULES))
  }
  for (const [index, rule] of restartPolicyRules.entries()) {
    errors.push(...validateRestartRule(rule, `${path}.restartPolicyRules[${index}]`))
  }
  return errors
}

const RULE_ACTIONS = ['Restart', 'RestartAllContainers']
const RULE_OPERATORS = ['In', 'NotIn']
const MOST_EXIT_CODES = 255

function validateRestartRule(rule: ContainerRestartRule, path: string): FieldError[] {
  const errors: FieldError[] = []
  if (!RULE_ACTIONS.includes(rule.action ?? ''))
    errors.push(notSupported(`${path}.action`, rule.action ?? '', RULE_ACTIONS))
  if (!rule.exitCodes) return [...errors, required(`${path}.exitCodes`, 'must be specified')]
  const { operator, values = [] } = rule.exitCodes
  if (!RULE_OPERATORS.includes(operator ?? '')) {
    errors.push(notSupported(`${path}.exitCodes.operator`, operator ?? '', RULE_OPERATORS))
  }
  if (values.length > MOST_EXIT_CODES)
    errors.push(tooMany(`${path}.exitCodes.values`, values.length, MOST_EXIT_CODES))
  if (values.length === 0)
    errors.push(invalidValue(`${path}.exitCodes.values`, values, 'at least one value is required'))
  return errors
}
