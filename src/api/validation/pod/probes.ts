// Probes and lifecycle hooks. Upstream: validateProbe, validateHandler, validateLifecycle.
import { isHttpHeaderName } from '../../names.ts'
import { LIFECYCLE_TYPES } from '../../pod/legacy-sidecar.ts'
import type {
  Container,
  ExecAction,
  GRPCAction,
  HTTPGetAction,
  Lifecycle,
  Probe,
  SleepAction,
  TCPSocketAction,
} from '../../types/core-v1.ts'
import {
  each,
  type FieldError,
  forbiddenField,
  invalidValue,
  nonNegative,
  notSupported,
  required,
} from '../field-error.ts'
import type { PodContext } from './pod-context.ts'
import { validatePort, validatePortNumber } from './ports.ts'

interface Handler {
  exec?: ExecAction
  httpGet?: HTTPGetAction
  tcpSocket?: TCPSocketAction
  grpc?: GRPCAction
  sleep?: SleepAction
}

export function validateProbes(container: Container, context: PodContext, path: string): FieldError[] {
  const { livenessProbe, readinessProbe, startupProbe } = container
  return [
    ...(livenessProbe ? onceEnough(livenessProbe, context, `${path}.livenessProbe`) : []),
    ...(readinessProbe ? withoutGrace(readinessProbe, context, `${path}.readinessProbe`) : []),
    ...(startupProbe ? onceEnough(startupProbe, context, `${path}.startupProbe`) : []),
  ]
}

function onceEnough(probe: Probe, context: PodContext, path: string): FieldError[] {
  const errors = validateProbe(probe, context, path)
  const threshold = probe.successThreshold ?? 0
  return threshold === 1
    ? errors
    : [...errors, invalidValue(`${path}.successThreshold`, threshold, 'must be 1')]
}

function withoutGrace(probe: Probe, context: PodContext, path: string): FieldError[] {
  const errors = validateProbe(probe, context, path)
  const grace = probe.terminationGracePeriodSeconds
  if (grace === undefined) return errors
  const field = `${path}.terminationGracePeriodSeconds`
  return [...errors, invalidValue(field, grace, 'must not be set for readinessProbes')]
}

const COUNTS = [
  'initialDelaySeconds',
  'timeoutSeconds',
  'periodSeconds',
  'successThreshold',
  'failureThreshold',
] as const

function validateProbe(probe: Probe, context: PodContext, path: string): FieldError[] {
  const grace = probe.terminationGracePeriodSeconds
  return [
    ...validateHandler(probe, context, path),
    ...COUNTS.flatMap(field => nonNegative(`${path}.${field}`, probe[field])),
    ...(grace !== undefined && grace <= 0
      ? [invalidValue(`${path}.terminationGracePeriodSeconds`, grace, 'must be greater than 0')]
      : []),
  ]
}

export function validateLifecycle(lifecycle: Lifecycle, context: PodContext, path: string): FieldError[] {
  const { postStart, preStop, stopSignal, type } = lifecycle
  return [
    ...(postStart ? validateHandler(postStart, context, `${path}.postStart`) : []),
    ...(preStop ? validateHandler(preStop, context, `${path}.preStop`) : []),
    ...(stopSignal === undefined ? [] : validateStopSignal(stopSignal, context, `${path}.stopSignal`)),
    ...(type === undefined || LIFECYCLE_TYPES.includes(type)
      ? []
      : [notSupported(`${path}.type`, type, LIFECYCLE_TYPES)]),
  ]
}

const realTime = [
  'SIGRTMIN',
  ...Array.from({ length: 15 }, (_, index) => `SIGRTMIN+${index + 1}`),
  ...Array.from({ length: 14 }, (_, index) => `SIGRTMAX-${14 - index}`),
  'SIGRTMAX',
]
const SIGNALS = {
  linux: [
    ...'ABRT ALRM BUS CHLD CLD CONT FPE HUP ILL INT IO IOT KILL PIPE POLL PROF PWR QUIT SEGV STKFLT STOP SYS TERM TRAP TSTP TTIN TTOU URG USR1 USR2 VTALRM WINCH XCPU XFSZ'
      .split(' ')
      .map(name => `SIG${name}`),
    ...realTime,
  ].toSorted(),
  windows: ['SIGKILL', 'SIGTERM'],
} as const

function validateStopSignal(signal: string, { spec }: PodContext, path: string): FieldError[] {
  if (!spec.os) return [forbiddenField(path, 'may not be set for containers with empty `spec.os.name`')]
  const { name } = spec.os
  if (name !== 'linux' && name !== 'windows') return []
  const signals: readonly string[] = SIGNALS[name]
  return signals.includes(signal) ? [] : [notSupported(path, signal, signals)]
}

const KINDS = ['exec', 'httpGet', 'tcpSocket', 'grpc', 'sleep'] as const

function validateHandler(handler: Handler, context: PodContext, path: string): FieldError[] {
  const kinds = KINDS.filter(kind => handler[kind])
  if (kinds.length === 0) return [required(path, 'must specify a handler type')]
  return kinds.flatMap((kind, index) =>
    index > 0
      ? [forbiddenField(`${path}.${kind}`, 'may not specify more than 1 handler type')]
      : validateAction(handler, kind, context, `${path}.${kind}`),
  )
}

function validateAction(
  { exec, httpGet, tcpSocket, grpc, sleep }: Handler,
  kind: keyof Handler,
  { gracePeriodSeconds }: PodContext,
  path: string,
): FieldError[] {
  switch (kind) {
    case 'exec':
      return (exec!.command ?? []).length === 0 ? [required(`${path}.command`)] : []
    case 'httpGet':
      return validateHttpGet(httpGet!, path)
    case 'tcpSocket':
      return validatePort(tcpSocket!.port, `${path}.port`)
    case 'grpc':
      return validatePortNumber(grpc!.port, `${path}.port`)
    case 'sleep':
      return validateSleep(sleep!.seconds, gracePeriodSeconds, path)
  }
}

function validateSleep(seconds: number, grace: number | undefined, path: string): FieldError[] {
  if (grace === undefined || (seconds >= 0 && seconds <= grace)) return []
  const detail = `must be non-negative and less than terminationGracePeriodSeconds (${grace})`
  return [invalidValue(path, seconds, detail)]
}

const SCHEMES = ['HTTP', 'HTTPS']

function validateHttpGet(get: HTTPGetAction, path: string): FieldError[] {
  const scheme = get.scheme ?? ''
  return [
    ...(get.path ? [] : [required(`${path}.path`)]),
    ...validatePort(get.port, `${path}.port`),
    ...(SCHEMES.includes(scheme) ? [] : [notSupported(`${path}.scheme`, scheme, SCHEMES)]),
    ...(get.httpHeaders ?? []).flatMap(({ name }) => each(`${path}.httpHeaders`, name, isHttpHeaderName)),
  ]
}
