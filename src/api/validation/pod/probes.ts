// Probes and lifecycle hooks. Upstream: validateProbe, validateHandler, validateLifecycle.
import { isPortName, isPortNumber } from '../../names.ts'
import type {
  Container,
  ExecAction,
  GRPCAction,
  HTTPGetAction,
  Lifecycle,
  Probe,
  TCPSocketAction,
} from '../../types/core-v1.ts'
import type { IntOrString } from '../../types/scalars.ts'
import {
  each,
  type FieldError,
  forbiddenField,
  invalidValue,
  notSupported,
  required,
} from '../field-error.ts'
import type { PodContext } from './pod-context.ts'

interface Handler {
  exec?: ExecAction
  httpGet?: HTTPGetAction
  tcpSocket?: TCPSocketAction
  grpc?: GRPCAction
  sleep?: { seconds: number }
}

export function validateProbes(container: Container, context: PodContext, path: string): FieldError[] {
  const { livenessProbe, readinessProbe, startupProbe } = container
  const errors: FieldError[] = []
  for (const [name, probe] of Object.entries({ livenessProbe, readinessProbe, startupProbe })) {
    if (!probe) continue
    const at = `${path}.${name}`
    errors.push(...validateProbe(probe, context, at))
    if (name === 'readinessProbe') {
      if (probe.terminationGracePeriodSeconds !== undefined) {
        const field = `${at}.terminationGracePeriodSeconds`
        errors.push(
          invalidValue(field, probe.terminationGracePeriodSeconds, 'must not be set for readinessProbes'),
        )
      }
    } else {
      errors.push(...graceOf(probe, at))
      if (probe.successThreshold !== 1)
        errors.push(invalidValue(`${at}.successThreshold`, probe.successThreshold, 'must be 1'))
    }
  }
  return errors
}

function graceOf(probe: Probe, path: string): FieldError[] {
  const seconds = probe.terminationGracePeriodSeconds
  if (seconds === undefined || seconds > 0) return []
  return [invalidValue(`${path}.terminationGracePeriodSeconds`, seconds, 'must be greater than 0')]
}

const COUNTS = [
  'initialDelaySeconds',
  'timeoutSeconds',
  'periodSeconds',
  'successThreshold',
  'failureThreshold',
] as const

function validateProbe(probe: Probe, context: PodContext, path: string): FieldError[] {
  const negative = COUNTS.filter(field => (probe[field] ?? 0) < 0)
  return [
    ...validateHandler(probe, context, path),
    ...negative.map(field =>
      invalidValue(`${path}.${field}`, probe[field], 'must be greater than or equal to 0'),
    ),
  ]
}

export function validateLifecycle(lifecycle: Lifecycle, context: PodContext, path: string): FieldError[] {
  const errors: FieldError[] = []
  if (lifecycle.postStart) errors.push(...validateHandler(lifecycle.postStart, context, `${path}.postStart`))
  if (lifecycle.preStop) errors.push(...validateHandler(lifecycle.preStop, context, `${path}.preStop`))
  if (lifecycle.stopSignal !== undefined && !context.spec.os?.name) {
    errors.push(
      forbiddenField(`${path}.stopSignal`, 'may not be set for containers with empty `spec.os.name`'),
    )
  }
  return errors
}

function validateHandler(handler: Handler, context: PodContext, path: string): FieldError[] {
  const errors: FieldError[] = []
  const kinds = (['exec', 'httpGet', 'tcpSocket', 'grpc', 'sleep'] as const).filter(kind => handler[kind])
  for (const [index, kind] of kinds.entries()) {
    if (index > 0) errors.push(forbiddenField(`${path}.${kind}`, 'may not specify more than 1 handler type'))
    else errors.push(...validateAction(handler, kind, context, `${path}.${kind}`))
  }
  return kinds.length === 0 ? [required(path, 'must specify a handler type')] : errors
}

function validateAction(
  handler: Handler,
  kind: keyof Handler,
  context: PodContext,
  path: string,
): FieldError[] {
  switch (kind) {
    case 'exec':
      return (handler.exec!.command ?? []).length === 0 ? [required(`${path}.command`)] : []
    case 'httpGet':
      return validateHttpGet(handler.httpGet!, path)
    case 'tcpSocket':
      return validatePort(handler.tcpSocket!.port, `${path}.port`)
    case 'grpc':
      return isPortNumber(handler.grpc!.port).map(detail =>
        invalidValue(`${path}.port`, handler.grpc!.port, detail),
      )
    case 'sleep': {
      const { seconds } = handler.sleep!
      const grace = context.gracePeriodSeconds
      if (seconds >= 0 && seconds <= grace) return []
      const detail = `must be non-negative and less than terminationGracePeriodSeconds (${grace})`
      return [invalidValue(path, seconds, detail)]
    }
  }
}

const SCHEMES = ['HTTP', 'HTTPS']

function validateHttpGet(get: HTTPGetAction, path: string): FieldError[] {
  const errors: FieldError[] = get.path ? [] : [required(`${path}.path`)]
  errors.push(...validatePort(get.port, `${path}.port`))
  if (!SCHEMES.includes(get.scheme ?? ''))
    errors.push(notSupported(`${path}.scheme`, get.scheme ?? '', SCHEMES))
  for (const header of get.httpHeaders ?? []) {
    if (/^[-A-Za-z0-9]+$/.test(header.name)) continue
    const detail =
      "a valid HTTP header must consist of alphanumeric characters or '-' (e.g. 'X-Header-Name', regex used for validation is '[-A-Za-z0-9]+')"
    errors.push(invalidValue(`${path}.httpHeaders`, header.name, detail))
  }
  return errors
}

function validatePort(port: IntOrString, path: string): FieldError[] {
  return typeof port === 'number'
    ? isPortNumber(port).map(detail => invalidValue(path, port, detail))
    : each(path, port, isPortName)
}
