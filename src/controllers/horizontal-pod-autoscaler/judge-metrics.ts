// All metrics of an autoscaler together: the highest proposal counts. Upstream: computeReplicasForMetrics.
import type { MetricSpec, MetricStatus } from '../../api/types/autoscaling-v2.ts'
import type { Judgement } from './autoscaler-conditions.ts'
import type { MetricQuestion } from './count-by-metric.ts'
import { judgeMetric, MetricFailure, type Proposal } from './judge-metric.ts'

export interface MetricsVerdict {
  /** undefined: nothing is to be done, because too little is known. */
  proposal?: { replicas: number; metric: string }
  statuses: MetricStatus[]
  judgement: Judgement
  failures: MetricFailure[]
  /** Of all failures together, when there are some. */
  problem?: string
}

export async function judgeMetrics(
  specs: readonly MetricSpec[],
  question: MetricQuestion,
): Promise<MetricsVerdict> {
  const answers = await Promise.all(specs.map(spec => answerOf(spec, question)))
  return sumUp(answers, question.specReplicas)
}

async function answerOf(spec: MetricSpec, question: MetricQuestion): Promise<Proposal | MetricFailure> {
  try {
    return await judgeMetric(spec, question)
  } catch (error) {
    if (error instanceof MetricFailure) return error
    throw error
  }
}

/** With a metric that fails there may be more replicas, but not fewer. Pure. */
export function sumUp(answers: readonly (Proposal | MetricFailure)[], current: number): MetricsVerdict {
  const failures = answers.filter(answer => answer instanceof MetricFailure)
  const proposals = answers.flatMap(answer => (answer instanceof MetricFailure ? [] : [answer]))
  // What failed is shown with an empty type, as upstream does.
  const statuses = answers.map(answer => (answer instanceof MetricFailure ? { type: '' } : answer.status))
  const highest = proposals.reduce<Proposal | undefined>(
    (best, one) => (!best || one.replicas > best.replicas ? one : best),
    undefined,
  )
  const [first] = failures
  const problem =
    first &&
    `invalid metrics (${failures.length} invalid out of ${answers.length}), first error is: ${first.message}`
  if (!highest || (first && highest.replicas < current)) {
    const judgement = first ? unable(first) : valid('')
    return { statuses, judgement, failures, ...(problem && { problem }) }
  }
  const { replicas, metric } = highest
  return {
    proposal: { replicas, metric },
    statuses,
    judgement: valid(metric),
    failures,
    ...(problem && { problem }),
  }
}

const valid = (metric: string): Judgement => ({
  type: 'ScalingActive',
  status: 'True',
  reason: 'ValidMetricFound',
  message: `the HPA was able to successfully calculate a replica count from ${metric}`,
})

const unable = ({ reason, what }: MetricFailure): Judgement => ({
  type: 'ScalingActive',
  status: 'False',
  reason,
  message: `the HPA was unable to compute the replica count: ${what}`,
})
