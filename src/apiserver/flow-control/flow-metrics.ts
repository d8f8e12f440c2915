// What the door counts, in upstream's names. Everything is read when somebody asks; nothing here is on a request's way.
// Upstream: pkg/util/flowcontrol/metrics/metrics.go and pkg/endpoints/metrics.
import { Counter, Gauge, type Registry } from 'prom-client'
import { addFlowHistograms } from './flow-histograms.ts'
import { BY_FLOW, BY_LEVEL, type FlowFigures, flowLabels, levelLabels, PREFIX } from './flow-labels.ts'
import type { FlowStats } from './flow-stats.ts'
import type { InFlight } from './in-flight.ts'
import type { PriorityLevel } from './priority-level.ts'
import type { PriorityLevels } from './priority-levels.ts'
import type { Labels } from './tally-histogram.ts'

type Row = [labels: Labels, value: number]

export function addFlowMetrics(registry: Registry, figures: FlowFigures): void {
  addFlowCounts(registry, figures)
  addLevelGauges(registry, figures)
  addFlowHistograms(registry, figures)
  addInFlight(registry, figures)
}

function addFlowCounts(registry: Registry, { levels }: FlowFigures): void {
  const flows = (read: (stats: FlowStats) => number) => () =>
    [...levels.stats()].map((stats): Row => [flowLabels(stats), read(stats)])
  const gauges: [name: string, help: string, read: (stats: FlowStats) => number][] = [
    ['current_inqueue_requests', 'Requests that wait in queues now.', stats => stats.waiting],
    ['current_inqueue_seats', 'Seats for which requests wait in queues now.', stats => stats.waitingSeats],
    [
      'current_executing_requests',
      'Requests that run now; watches while they begin.',
      stats => stats.executing,
    ],
    ['current_executing_seats', 'Seats that requests hold now.', stats => stats.executingSeats],
  ]
  for (const [name, help, read] of gauges) gauge(registry, PREFIX + name, help, BY_FLOW, flows(read))
  counter(
    registry,
    'dispatched_requests_total',
    'Requests that were let through.',
    BY_FLOW,
    flows(stats => stats.dispatched),
  )
  counter(
    registry,
    'request_dispatch_no_accommodation_total',
    'How often the next in turn had to wait for more seats than were free.',
    BY_FLOW,
    flows(stats => stats.notAccommodated),
  )
  counter(
    registry,
    'rejected_requests_total',
    'Requests that were refused, by the reason.',
    [...BY_FLOW, 'reason'],
    () =>
      [...levels.stats()].flatMap(stats =>
        [...stats.rejected].map(([reason, count]): Row => [{ ...flowLabels(stats), reason }, count]),
      ),
  )
}

function addLevelGauges(registry: Registry, { levels }: FlowFigures): void {
  const gauges: [name: string, help: string, read: (level: PriorityLevel) => number | undefined][] = [
    [
      'nominal_limit_seats',
      'The share of each level in what may run at once.',
      ({ limits }) => limits.nominal,
    ],
    [
      'lower_limit_seats',
      'What a level has when all is lent that may be lent.',
      ({ limits }) => limits.lower,
    ],
    [
      'upper_limit_seats',
      'What a level has when it borrows all it may borrow.',
      ({ limits }) => limits.upper,
    ],
    ['current_limit_seats', 'What may run at once in each level now.', ({ queues }) => queues.limit],
    [
      'current_r',
      'What the progress meter of each level shows, in seat-seconds.',
      ({ queues }) => queues.progress,
    ],
    ['dispatch_r', 'The progress meter at the last dispatch.', ({ queues }) => queues.lastDispatch?.progress],
    [
      'latest_s',
      'The virtual start of the last request that was dispatched.',
      ({ queues }) => queues.lastDispatch?.start,
    ],
  ]
  const rows = (read: (level: PriorityLevel) => number | undefined) => () =>
    levels.all().flatMap((level): Row[] => {
      const value = read(level)
      return value === undefined ? [] : [[levelLabels(level), value]]
    })
  for (const [name, help, read] of gauges) gauge(registry, PREFIX + name, help, BY_LEVEL, rows(read))
  addDemandGauges(registry, levels)
  addBounds(registry, levels)
}

function addDemandGauges(registry: Registry, levels: PriorityLevels): void {
  const gauges = [
    ['demand_seats_high_watermark', 'The most seats that were wanted in the last period.', 'highWatermark'],
    [
      'demand_seats_average',
      'The seats that were wanted in the last period, on average over its time.',
      'average',
    ],
    [
      'demand_seats_stdev',
      'The standard deviation of the seats that were wanted in the last period.',
      'deviation',
    ],
    ['demand_seats_smoothed', 'The seats that are wanted, with a memory that fades.', 'smoothed'],
    ['target_seats', 'The seats that each level should have.', 'target'],
  ] as const
  for (const [name, help, figure] of gauges)
    gauge(registry, PREFIX + name, help, BY_LEVEL, () =>
      [...levels.adjustments].map(([level, one]): Row => [{ priority_level: level }, one[figure]]),
    )
  const help = 'The part of its target that each level gets that is bound by nothing else.'
  gauge(registry, `${PREFIX}seat_fair_frac`, help, [], () => [[{}, levels.fairFraction]])
}

function addBounds(registry: Registry, levels: PriorityLevels): void {
  const bounds = [
    ['next_s_bounds', 'Virtual starts of the oldest in each queue: the first and the last.', 'starts'],
    ['next_discounted_s_bounds', 'The same less the work under way.', 'discounted'],
  ] as const
  for (const [name, help, figure] of bounds)
    gauge(registry, PREFIX + name, help, [...BY_LEVEL, 'bound'], () =>
      levels.all().flatMap((level): Row[] => {
        const range = level.queues.lastDispatch?.[figure]
        if (!range) return []
        return [
          [{ ...levelLabels(level), bound: 'min' }, range.min],
          [{ ...levelLabels(level), bound: 'max' }, range.max],
        ]
      }),
    )
}

function addInFlight(registry: Registry, { inFlight, clock }: FlowFigures): void {
  const rows = (of: InFlight['executing']) => (): Row[] => [
    [{ request_kind: 'mutating' }, of.mutating.peak.read(clock.now())],
    [{ request_kind: 'readOnly' }, of.readOnly.peak.read(clock.now())],
  ]
  const labels = ['request_kind']
  const runs = 'The most requests that ran at once in the last second.'
  gauge(registry, 'apiserver_current_inflight_requests', runs, labels, rows(inFlight.executing))
  const waits = 'The most requests that waited at once in the last second.'
  gauge(registry, 'apiserver_current_inqueue_requests', waits, labels, rows(inFlight.waiting))
}

function gauge(
  registry: Registry,
  name: string,
  help: string,
  labelNames: string[],
  rows: () => Row[],
): void {
  new Gauge({
    name,
    help,
    labelNames,
    registers: [registry],
    collect() {
      this.reset()
      for (const [labels, value] of rows()) this.set(labels, value)
    },
  })
}

function counter(
  registry: Registry,
  name: string,
  help: string,
  labelNames: string[],
  rows: () => Row[],
): void {
  new Counter({
    name: PREFIX + name,
    help,
    labelNames,
    registers: [registry],
    collect() {
      this.reset()
      for (const [labels, value] of rows()) this.inc(labels, value)
    },
  })
}
