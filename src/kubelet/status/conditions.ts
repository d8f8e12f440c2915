// The kubelet's pod conditions, before their times are filled in. Upstream: status/generate.go.

import { isSidecar } from '../../api/pod/sidecar.ts'
import type { ContainerStatus, Pod, PodCondition, PodPhase } from '../../api/types/core-v1.ts'

import type { ResizeState } from '../resize/resizes.ts'

/** What a condition says; times and generation are added by computeStatus. */
export type Verdict = Pick<PodCondition, 'type' | 'status' | 'reason' | 'message'> & {
  /** Of the spec that it is about; the newest one's when left out. */
  generation?: number
}

/** Conditions that only the kubelet writes (upstream: PodConditionsByKubelet). */
export const KUBELET_CONDITIONS: ReadonlySet<string> = new Set([
  'PodScheduled',
  'Ready',
  'Initialized',
  'ContainersReady',
  'PodReadyToStartContainers',
  'PodResizePending',
  'PodResizeInProgress',
  'AllContainersRestarting',
])

export function readyToStartContainers(sandboxStands: boolean): Verdict {
  return verdict('PodReadyToStartContainers', sandboxStands)
}

export function initialized(pod: Pod, statuses: readonly ContainerStatus[], phase: PodPhase): Verdict {
  const unknown: string[] = []
  const incomplete: string[] = []
  for (const init of pod.spec.initContainers ?? []) {
    const status = statuses.find(({ name }) => name === init.name)
    if (!status) unknown.push(init.name)
    else if (!(isSidecar(init) ? status.started : status.ready)) incomplete.push(init.name)
  }
  if (phase === 'Succeeded' && unknown.length === 0)
    return { ...verdict('Initialized', true), reason: 'PodCompleted' }
  if (anyAppStarted(pod, statuses)) return verdict('Initialized', true)
  return verdict('Initialized', false, 'ContainersNotInitialized', listed({ unknown, incomplete }))
}

function anyAppStarted(pod: Pod, statuses: readonly ContainerStatus[]): boolean {
  return pod.spec.containers.some(({ name }) => {
    const status = statuses.find(status => status.name === name)
    if (!status) return false
    return (
      !!status.state.running || !!status.state.terminated || !!status.lastState.terminated || !!status.started
    )
  })
}

/** Sidecars first, then apps. */
export function containersReady(pod: Pod, statuses: readonly ContainerStatus[], phase: PodPhase): Verdict {
  const unknown: string[] = []
  const unready: string[] = []
  for (const { name } of [...(pod.spec.initContainers ?? []).filter(isSidecar), ...pod.spec.containers]) {
    const status = statuses.find(status => status.name === name)
    if (!status) unknown.push(name)
    else if (!status.ready) unready.push(name)
  }
  if (phase === 'Succeeded' && unknown.length === 0) return no('ContainersReady', 'PodCompleted')
  if (phase === 'Failed') return no('ContainersReady', 'PodFailed')
  return verdict('ContainersReady', false, 'ContainersNotReady', listed({ unknown, unready }))
}

/** ContainersReady and every readiness gate. */
export function ready(pod: Pod, ofContainers: Verdict, foreign: readonly PodCondition[]): Verdict {
  if (ofContainers.status !== 'True') return { ...ofContainers, type: 'Ready' }
  const problems = (pod.spec.readinessGates ?? []).flatMap(({ conditionType }) => {
    const gate = foreign.find(({ type }) => type === conditionType)
    if (!gate) return [`corresponding condition of pod readiness gate "${conditionType}" does not exist.`]
    if (gate.status === 'True') return []
    return [`the status of pod readiness gate "${conditionType}" is not "True", but ${gate.status}`]
  })
  return verdict('Ready', false, 'ReadinessGatesNotReady', problems.join(', '))
}

export function disrupted(message: string): Verdict {
  return { type: 'DisruptionTarget', status: 'True', reason: 'TerminationByKubelet', message }
}

export function allContainersRestarting(restarting: boolean): Verdict {
  if (!restarting) return verdict('AllContainersRestarting', false, '', ' ')
  return {
    type: 'AllContainersRestarting',
    status: 'True',
    reason: 'RestartAllContainersStarted',
    message: 'container exited with restart policy rule',
  }
}

/** Upstream: PodResizePending and PodResizeInProgress are there only while they are true. */
export function resizing({ pending, inProgress }: ResizeState): Verdict[] {
  const verdicts: Verdict[] = []
  if (pending) verdicts.push({ type: 'PodResizePending', status: 'True', ...pending })
  if (inProgress) {
    const { generation, error } = inProgress
    const words = error === undefined ? {} : { reason: 'Error', message: error }
    verdicts.push({ type: 'PodResizeInProgress', status: 'True', generation, ...words })
  }
  return verdicts
}

function listed(names: Record<string, readonly string[]>): string {
  return Object.entries(names)
    .filter(([, list]) => list.length > 0)
    .map(([kind, list]) => `containers with ${kind} status: [${list.join(' ')}]`)
    .join(', ')
}

const no = (type: string, reason: string): Verdict => ({ type, status: 'False', reason })

/** With `problem` given, the condition is true when there is none. */
function verdict(type: string, holds: boolean, reason?: string, problem?: string): Verdict {
  if (holds || problem === '') return { type, status: 'True' }
  return { type, status: 'False', ...(reason && { reason }), ...(problem?.trim() && { message: problem }) }
}
