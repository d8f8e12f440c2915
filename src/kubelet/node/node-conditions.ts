// The node's conditions. Pure. Upstream: nodestatus/setters.go.
import type { NodeCondition } from '../../api/types/core-v1.ts'
import { apiTime } from '../api-time.ts'

export interface NodePressures {
  memoryPressure: boolean
  diskPressure: boolean
  pidPressure: boolean
}

/** What presses on the node, and what keeps it from being ready ('' when nothing does). */
export interface NodeHealth extends NodePressures {
  problem: string
}

export function nodeConditions(
  health: NodeHealth,
  previous: readonly NodeCondition[],
  now: number,
): NodeCondition[] {
  const pressure = (type: string, pressed: boolean, name: string, words: [string, string]): Verdict => ({
    type,
    status: pressed ? 'True' : 'False',
    reason: `KubeletHas${pressed ? words[0] : words[1]}${name}`,
    message: `kubelet has ${pressed ? words[0].toLowerCase() : words[1].toLowerCase()} ${TEXT[name]}`,
  })
  const ready: Verdict = health.problem
    ? { type: 'Ready', status: 'False', reason: 'KubeletNotReady', message: health.problem }
    : { type: 'Ready', status: 'True', reason: 'KubeletReady', message: 'kubelet is posting ready status' }
  const verdicts = [
    pressure('MemoryPressure', health.memoryPressure, 'Memory', ['Insufficient', 'Sufficient']),
    disk(health.diskPressure),
    pressure('PIDPressure', health.pidPressure, 'PID', ['Insufficient', 'Sufficient']),
    ready,
  ]
  const foreign = previous.filter(({ type }) => !verdicts.some(verdict => verdict.type === type))
  return [...foreign, ...verdicts.map(verdict => dated(verdict, previous, now))]
}

type Verdict = Required<Pick<NodeCondition, 'type' | 'status' | 'reason' | 'message'>>

const TEXT: Record<string, string> = { Memory: 'memory available', PID: 'PID available' }

const disk = (pressed: boolean): Verdict =>
  pressed
    ? {
        type: 'DiskPressure',
        status: 'True',
        reason: 'KubeletHasDiskPressure',
        message: 'kubelet has disk pressure',
      }
    : {
        type: 'DiskPressure',
        status: 'False',
        reason: 'KubeletHasNoDiskPressure',
        message: 'kubelet has no disk pressure',
      }

function dated(verdict: Verdict, previous: readonly NodeCondition[], now: number): NodeCondition {
  const earlier = previous.find(({ type }) => type === verdict.type)
  const same = earlier?.status === verdict.status && earlier.lastTransitionTime
  return {
    type: verdict.type,
    status: verdict.status,
    lastHeartbeatTime: apiTime(now),
    lastTransitionTime: same ? earlier.lastTransitionTime! : apiTime(now),
    reason: verdict.reason,
    message: verdict.message,
  }
}
