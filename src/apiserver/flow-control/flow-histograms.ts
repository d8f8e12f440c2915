// How the door's figures are spread. Upstream: pkg/util/flowcontrol/metrics/metrics.go.
import type { Registry } from 'prom-client'
import type { PassiveClock } from '../../base/clock.ts'
import { BY_FLOW, BY_LEVEL, type FlowFigures, flowLabels, levelLabels, PREFIX } from './flow-labels.ts'
import type { PriorityLevels } from './priority-levels.ts'
import { TallyHistogram } from './tally-histogram.ts'

export function addFlowHistograms(registry: Registry, figures: FlowFigures): void {
  const { levels, clock } = figures
  const flows = [
    [
      'request_queue_length_after_enqueue',
      'How many waited in the queue, each new one counted.',
      'queueLength',
    ],
    ['watch_count_samples', 'How many watched what was written.', 'watchers'],
    ['work_estimated_seats', 'How many seats requests were thought to take.', 'seats'],
  ] as const
  for (const [name, help, figure] of flows)
    histogram(registry, name, help, BY_FLOW, () =>
      [...levels.stats()].map(stats => [flowLabels(stats), stats[figure]] as const),
    )
  histogram(registry, 'request_wait_duration_seconds', 'Time in the queue.', [...BY_FLOW, 'execute'], () =>
    [...levels.stats()].flatMap(stats =>
      (['true', 'false'] as const).map(
        execute => [{ ...flowLabels(stats), execute }, stats.waited[execute]] as const,
      ),
    ),
  )
  const running = 'Time for which requests ran; watches until they had begun.'
  histogram(registry, 'request_execution_seconds', running, [...BY_FLOW, 'type'], () =>
    [...levels.stats()].flatMap(stats =>
      (['regular', 'watch'] as const).map(
        type => [{ ...flowLabels(stats), type }, stats.executed[type]] as const,
      ),
    ),
  )
  addUtilization(registry, levels, clock)
  addReadsAndWrites(registry, figures)
}

function addUtilization(registry: Registry, levels: PriorityLevels, clock: PassiveClock): void {
  const figures = () => {
    for (const { queues } of levels.all()) queues.sync(clock.now())
    return levels.all().map(level => ({ labels: levelLabels(level), ...level.queues.utilization }))
  }
  const seats = 'How much of its seats a level used, counted every nanosecond.'
  histogram(registry, 'priority_level_seat_utilization', seats, [...BY_LEVEL, 'phase'], () =>
    figures().map(one => [{ ...one.labels, phase: 'executing' }, one.seats] as const),
  )
  const requests = 'How much of its room a level used, counted every nanosecond.'
  histogram(registry, 'priority_level_request_utilization', requests, ['phase', ...BY_LEVEL], () =>
    figures().flatMap(({ labels, waiting, executing }) => [
      [{ phase: 'waiting', ...labels }, waiting] as const,
      [{ phase: 'executing', ...labels }, executing] as const,
    ]),
  )
  const demand = 'The seats that a level could use as a part of those it has, counted every nanosecond.'
  histogram(registry, 'demand_seats', demand, BY_LEVEL, () =>
    figures().map(one => [one.labels, one.demand] as const),
  )
}

function addReadsAndWrites(registry: Registry, { inFlight, clock }: FlowFigures): void {
  const help = 'How much of all room reads and writes took, counted every nanosecond.'
  histogram(registry, 'read_vs_write_current_requests', help, ['phase', 'request_kind'], () =>
    (['waiting', 'executing'] as const).flatMap(phase =>
      (['mutating', 'readOnly'] as const).map(kind => {
        inFlight[phase][kind].sync(clock.now())
        return [{ phase, request_kind: kind }, inFlight[phase][kind].parts] as const
      }),
    ),
  )
}

function histogram(
  registry: Registry,
  name: string,
  help: string,
  labelNames: string[],
  rows: ConstructorParameters<typeof TallyHistogram>[1],
): void {
  new TallyHistogram({ name: PREFIX + name, help, labelNames, registers: [registry] }, rows)
}
