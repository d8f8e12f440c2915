// Whether evicting others would make room for a Pod that fits nowhere, and who would have to go. Pure.
// Upstream: pkg/scheduler/framework/preemption/preemption.go, plugins/defaultpreemption.
import { priorityOf } from '../../api/pod/priority.ts'
import type { Pod } from '../../api/types/core-v1.ts'
import { fitErrorMessage } from '../fit-error.ts'
import type { Rejection } from '../framework.ts'
import type { Nowhere } from '../schedule-one.ts'
import type { NodeInfo } from '../state/node-info.ts'
import { chooseCandidate } from './choose-candidate.ts'
import type { Budget } from './disruption-budgets.ts'
import { selectVictims, type Victims } from './victims.ts'

export interface PreemptInput {
  nowhere: Nowhere
  budgets: readonly Budget[]
  /** Where the Pod was promised room before. */
  promised: string | undefined
  /** Epoch milliseconds. */
  now: number
  random: () => number
}

export type Preemption =
  | { make: 'room'; victims: Victims }
  /** `message` is told after the reasons; `keepsPromise`: what was promised before still stands. */
  | { make: 'nothing'; message: string; keepsPromise: boolean }

/** Of the nodes where it may help a tenth is looked at, but a hundred at least. */
const LEAST_SHARE = 0.1
const LEAST_CANDIDATES = 100

export function preempt({ nowhere, budgets, promised, now, random }: PreemptInput): Preemption {
  const { cycle, verdicts } = nowhere
  const ineligible = whyNot(cycle.pod, promised, nowhere)
  if (ineligible) return { make: 'nothing', message: ineligible, keepsPromise: true }
  const { nodes } = cycle.cluster
  const hopeful = nodes.filter(({ name }) => verdicts.get(name)?.resolvable)
  const { candidates, reasons } = dryRun(nowhere, hopeful, budgets, now, random)
  const victims = chooseCandidate(candidates, now)
  if (victims) return { make: 'room', victims }
  const message = fitErrorMessage({
    nodeCount: nodes.length,
    rejections: reasons,
    others: 'Preemption is not helpful for scheduling',
  })
  return { make: 'nothing', message, keepsPromise: false }
}

/** Upstream: PodEligibleToPreemptOthers. */
function whyNot(pod: Pod, promised: string | undefined, { cycle, verdicts }: Nowhere) {
  if (pod.spec.preemptionPolicy === 'Never') return 'not eligible due to preemptionPolicy=Never.'
  if (promised === undefined) return undefined
  const verdict = verdicts.get(promised)
  if (!verdict?.resolvable) return undefined
  const leaving = [...(cycle.cluster.findNode(promised)?.pods.values() ?? [])].some(
    other => priorityOf(other) < priorityOf(pod) && isLeavingForOthers(other),
  )
  return leaving ? 'not eligible due to a terminating pod on the nominated node.' : undefined
}

export const isLeavingForOthers = ({ metadata, status }: Pod): boolean =>
  !!metadata.deletionTimestamp &&
  (status.conditions ?? []).some(
    ({ type, status: value, reason }) =>
      type === 'DisruptionTarget' && value === 'True' && reason === 'PreemptionByScheduler',
  )

/** Ends early when there are enough candidates and one of them harms no budget. */
function dryRun(
  { cycle }: Nowhere,
  nodes: readonly NodeInfo[],
  budgets: readonly Budget[],
  now: number,
  random: () => number,
): { candidates: Victims[]; reasons: Rejection[] } {
  const enough = Math.max(Math.floor(nodes.length * LEAST_SHARE), LEAST_CANDIDATES)
  const start = Math.floor(random() * nodes.length)
  const candidates: Victims[] = []
  const reasons: Rejection[] = []
  for (let step = 0; step < nodes.length; step++) {
    const { victims, why } = selectVictims(cycle, nodes[(start + step) % nodes.length]!, budgets, now)
    if (why) reasons.push(why)
    else candidates.push(victims)
    if (candidates.length >= enough && candidates.some(({ violations }) => violations === 0)) break
  }
  return { candidates, reasons }
}
