// Which taints a Node's conditions ask for. Pure.
// Upstream: doNoScheduleTaintingPass, processTaintBaseEviction and swapNodeControllerTaint.
import { formatTime } from '../../api/time.ts'
import type { Node, Taint } from '../../api/types/core-v1.ts'
import { readyStatus } from './node-health.ts'

const NOT_READY = 'node.kubernetes.io/not-ready'
const UNREACHABLE = 'node.kubernetes.io/unreachable'
const UNSCHEDULABLE = 'node.kubernetes.io/unschedulable'

/** Condition → its status → key of the taint. */
const KEYS: Record<string, Record<string, string>> = {
  Ready: { False: NOT_READY, Unknown: UNREACHABLE },
  MemoryPressure: { True: 'node.kubernetes.io/memory-pressure' },
  DiskPressure: { True: 'node.kubernetes.io/disk-pressure' },
  NetworkUnavailable: { True: 'node.kubernetes.io/network-unavailable' },
  PIDPressure: { True: 'node.kubernetes.io/pid-pressure' },
}
const OURS = new Set([UNSCHEDULABLE, ...Object.values(KEYS).flatMap(keys => Object.values(keys))])

function wantedNoSchedule({ spec, status }: Node): string[] {
  const keys = (status.conditions ?? []).flatMap(({ type, status }) => KEYS[type]?.[status] ?? [])
  return spec.unschedulable ? [...keys, UNSCHEDULABLE] : keys
}

/** The NoExecute taint that the Node's silence or its kubelet asks for. */
export function wantedNoExecute(node: Node): string | undefined {
  const ready = readyStatus(node)
  return ready === 'False' ? NOT_READY : ready === 'Unknown' ? UNREACHABLE : undefined
}

export const hasNoExecute = ({ spec }: Node): boolean =>
  spec.taints?.some(
    ({ key, effect }) => effect === 'NoExecute' && (key === NOT_READY || key === UNREACHABLE),
  ) === true

/**
 * The Node's taints as they must be; the same list when they are. `noExecute`: the key of the one to have, if any; all
 * others of ours with that effect go.
 */
export function wantedTaints(node: Node, noExecute: string | undefined, now: number): readonly Taint[] {
  const taints = node.spec.taints ?? []
  const wanted = new Set(wantedNoSchedule(node))
  const isWanted = ({ key, effect }: Taint) => {
    if (effect === 'NoSchedule' && OURS.has(key)) return wanted.has(key)
    if (effect === 'NoExecute' && (key === NOT_READY || key === UNREACHABLE)) return key === noExecute
    return true
  }
  const kept = taints.filter(isWanted)
  const has = (key: string, effect: string) => kept.some(one => one.key === key && one.effect === effect)
  const timeAdded = formatTime(now)
  const added: Taint[] = [...wanted]
    .filter(key => !has(key, 'NoSchedule'))
    .map(key => ({ key, effect: 'NoSchedule', timeAdded }))
  if (noExecute && !has(noExecute, 'NoExecute'))
    added.push({ key: noExecute, effect: 'NoExecute', timeAdded })
  return kept.length === taints.length && added.length === 0 ? taints : [...kept, ...added]
}
