// How many replicas the figures ask for. Pure. All values are in thousandths.
// Upstream: pkg/controller/podautoscaler/replica_calculator.go.
import type { GroupedPods } from './group-pods.ts'
import type { PodMetrics } from './pod-metrics.ts'

/** Figures so close to the target change nothing: parts of it. */
export interface Tolerances {
  scaleDown: number
  scaleUp: number
}

export const isWithin = (ratio: number, { scaleDown, scaleUp }: Tolerances): boolean =>
  1 - scaleDown <= ratio && ratio <= 1 + scaleUp

export interface Measured {
  current: number
  metrics: PodMetrics
  groups: GroupedPods
  tolerances: Tolerances
}

export interface ReplicaCount {
  replicas: number
  /** What a replica uses on average. */
  average: number
  /** The same in percent of what was asked for. */
  utilization?: number
}

interface Ratio {
  ratio: number
  average: number
  utilization?: number
}

/** Towards a percentage of what pods ask for. Throws when there are no figures. Upstream: GetResourceReplicas. */
export function replicasForUtilization(
  measured: Measured,
  target: number,
  requests: ReadonlyMap<string, number>,
): ReplicaCount {
  const most = Math.max(100, target)
  return judge(measured, {
    ratioOf: metrics => utilizationRatio(metrics, requests, target),
    missingAtMost: name => Math.trunc(((requests.get(name) ?? 0) * most) / 100),
  })
}

/** Towards an average value. Throws when there are no figures. Upstream: calcPlainMetricReplicas. */
export function replicasForAverage(measured: Measured, target: number): ReplicaCount {
  return judge(measured, {
    ratioOf: metrics => {
      const average = Math.trunc(sum(metrics.values()) / metrics.size)
      return { ratio: average / target, average }
    },
    missingAtMost: () => target,
  })
}

interface Judge {
  ratioOf(metrics: ReadonlyMap<string, number>): Ratio
  /** What a pod without a figure is taken for when there would be fewer replicas. */
  missingAtMost(name: string): number
}

function judge({ current, metrics, groups, tolerances }: Measured, by: Judge): ReplicaCount {
  const { readyCount, missing, unready, ignored } = groups
  const believed = new Map<string, number>()
  for (const [name, { value }] of metrics)
    if (!unready.has(name) && !ignored.has(name)) believed.set(name, value)
  if (believed.size === 0) throw new Error('did not receive metrics for any ready pods')
  const { ratio, ...shown } = by.ratioOf(believed)
  const stay = { replicas: current, ...shown }
  const moreDespiteUnready = unready.size > 0 && ratio > 1
  if (!moreDespiteUnready && missing.size === 0) {
    return isWithin(ratio, tolerances) ? stay : { replicas: Math.ceil(ratio * readyCount), ...shown }
  }
  // The unknown is taken for what speaks against a change.
  if (ratio !== 1) for (const name of missing) believed.set(name, ratio < 1 ? by.missingAtMost(name) : 0)
  if (moreDespiteUnready) for (const name of unready) believed.set(name, 0)
  const { ratio: careful } = by.ratioOf(believed)
  const turns = (ratio < 1 && careful > 1) || (ratio > 1 && careful < 1)
  if (isWithin(careful, tolerances) || turns) return stay
  const replicas = Math.ceil(careful * believed.size)
  const isAgainst = (careful < 1 && replicas > current) || (careful > 1 && replicas < current)
  return isAgainst ? stay : { replicas, ...shown }
}

/** Upstream: GetResourceUtilizationRatio. */
function utilizationRatio(
  metrics: ReadonlyMap<string, number>,
  requests: ReadonlyMap<string, number>,
  target: number,
): Ratio {
  const known = [...metrics].filter(([name]) => requests.has(name))
  const total = sum(known.map(([, value]) => value))
  const asked = sum(known.map(([name]) => requests.get(name)!))
  if (asked === 0) throw new Error('no metrics returned matched known pods')
  const utilization = Math.trunc((total * 100) / asked)
  return { ratio: utilization / target, average: Math.trunc(total / known.length), utilization }
}

/** Towards one value for all. Upstream: getUsageRatioReplicaCount. */
export function replicasForValue(
  current: number,
  ratio: number,
  readyCount: number,
  tolerances: Tolerances,
): number {
  if (current === 0) return Math.ceil(ratio)
  return isWithin(ratio, tolerances) ? current : Math.ceil(ratio * readyCount)
}

/** Towards a share of one value for each. Upstream: GetExternalPerPodMetricReplicas, GetObjectPerPodMetricReplicas. */
export function replicasForShare(
  current: number,
  value: number,
  target: number,
  tolerances: Tolerances,
): ReplicaCount {
  const replicas = isWithin(value / (target * current), tolerances) ? current : Math.ceil(value / target)
  return { replicas, average: Math.ceil(value / Math.max(1, current)) }
}

function sum(values: Iterable<number>): number {
  let total = 0
  for (const value of values) total += value
  return total
}
