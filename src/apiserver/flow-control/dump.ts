// What goes on in the queues, as tables for people who look for a reason.
// Upstream: pkg/util/flowcontrol/apf_controller_debug.go.
import { goDuration } from '../../api/duration.ts'
import type { PriorityLevel } from './priority-level.ts'
import type { PriorityLevels } from './priority-levels.ts'
import type { Ticket } from './ticket.ts'

const PREFIX = '/debug/api_priority_and_fairness/'

/** undefined: there is no such path. */
export function dump(path: string, query: URLSearchParams, levels: PriorityLevels): string | undefined {
  if (!path.startsWith(PREFIX)) return undefined
  const all = levels.all()
  switch (path.slice(PREFIX.length)) {
    case 'dump_priority_levels':
      return table([LEVEL_COLUMNS, ...all.map(levelRow)])
    case 'dump_queues':
      return table([QUEUE_COLUMNS, ...all.flatMap(queueRows)])
    case 'dump_requests': {
      const columns = query.get('includeRequestDetails')
        ? [...REQUEST_COLUMNS, ...DETAIL_COLUMNS]
        : REQUEST_COLUMNS
      return table([columns, ...all.flatMap(requestRows).map(row => row.slice(0, columns.length))])
    }
    default:
      return undefined
  }
}

const LEVEL_COLUMNS = [
  'PriorityLevelName',
  'ActiveQueues',
  'IsIdle',
  'IsQuiescing',
  'WaitingRequests',
  'ExecutingRequests',
  'DispatchedRequests',
  'RejectedRequests',
  'TimedoutRequests',
  'CancelledRequests',
]

function levelRow({ name, queues, isQuiescing }: PriorityLevel): string[] {
  const active = [...queues.queues()].filter(({ waiting }) => waiting.size > 0).length
  const { waiting, executing, dispatched, isIdle, refused } = queues
  const counts = [waiting, executing, dispatched, refused.rejected, refused.timedOut, refused.cancelled]
  return [name, active, isIdle, isQuiescing, ...counts].map(String)
}

const QUEUE_COLUMNS = [
  'PriorityLevelName',
  'Index',
  'PendingRequests',
  'ExecutingRequests',
  'SeatsInUse',
  'NextDispatchR',
  'InitialSeatsSum',
  'MaxSeatsSum',
  'TotalWorkSum',
]

/** Idle queues too; those that are no longer wanted come while somebody is in them. */
function queueRows({ name, queues }: PriorityLevel): string[][] {
  const wanted = queues.shape.queues === 'unlimited' ? 0 : queues.shape.queues
  const indexes = new Set([...Array(wanted).keys(), ...[...queues.queues()].map(({ index }) => index)])
  return [...indexes].map(index => {
    const { waiting, executing, seatsInUse, nextDispatch, initialSeats, maxSeats, waitingWork } =
      queues.queue(index) ?? IDLE
    const counts = [index, waiting.size, executing.size, seatsInUse].map(String)
    return [
      name,
      ...counts,
      seatSeconds(nextDispatch),
      String(initialSeats),
      String(maxSeats),
      seatSeconds(waitingWork),
    ]
  })
}

const NOBODY = { size: 0 }
const IDLE = {
  waiting: NOBODY,
  executing: NOBODY,
  seatsInUse: 0,
  nextDispatch: 0,
  initialSeats: 0,
  maxSeats: 0,
  waitingWork: 0,
}

const REQUEST_COLUMNS = [
  'PriorityLevelName',
  'FlowSchemaName',
  'QueueIndex',
  'RequestIndexInQueue',
  'FlowDistingsher',
  'ArriveTime',
  'InitialSeats',
  'FinalSeats',
  'AdditionalLatency',
  'StartTime',
]
const DETAIL_COLUMNS = [
  'UserName',
  'Verb',
  'APIPath',
  'Namespace',
  'Name',
  'APIVersion',
  'Resource',
  'SubResource',
]

/** Those that wait are numbered; those that run are not. */
function requestRows({ name, queues }: PriorityLevel): string[][] {
  const queued = [...queues.queues()]
    .sort((a, b) => a.index - b.index)
    .flatMap(({ index, waiting, executing }) => [
      ...[...waiting].map((ticket, place) => requestRow(name, index, place, ticket)),
      ...[...executing].map(ticket => requestRow(name, index, -1, ticket)),
    ])
  return [...queued, ...[...queues.runningWithoutQueue()].map(ticket => requestRow(name, -1, -1, ticket))]
}

function requestRow(level: string, queue: number, place: number, ticket: Ticket): string[] {
  const { stats, flow, arrivedAt, startedAt, work } = ticket
  return [
    level,
    stats.schema,
    String(queue),
    String(place),
    flow,
    nanoTime(arrivedAt),
    String(work.initialSeats),
    String(work.finalSeats),
    goDuration(work.lingerMs),
    startedAt === undefined ? '0001-01-01T00:00:00Z' : nanoTime(startedAt),
    ...details(ticket),
  ]
}

function details({ info, user }: Ticket): string[] {
  if (!info.isResource) return [user.name, info.verb, info.path, '', '', '', '', '']
  const { verb, path, namespace = '', name = '', group, version, resource, subresource = '' } = info
  return [
    user.name,
    verb,
    path,
    namespace,
    name,
    group ? `${group}/${version}` : version,
    resource,
    subresource,
  ]
}

/** Upstream's SeatSeconds in eight decimals. */
const seatSeconds = (value: number) => `${value.toFixed(8)}ss`

/** RFC 3339 without zeros at the end. */
const nanoTime = (ms: number) => new Date(ms).toISOString().replace(/\.?0*Z$/, 'Z')

const LEAST_WIDTH = 8

/** Columns in line as Go's text/tabwriter puts them. */
function table(rows: readonly string[][]): string {
  const cells = rows.map(row => row.map((text, at) => (at < row.length - 1 ? `${text},` : text)))
  const widths = (cells[0] ?? []).map((_, at) =>
    cells.reduce((widest, row) => Math.max(widest, [...row[at]!].length + 1), LEAST_WIDTH),
  )
  const line = (row: string[]) =>
    row.map((text, at) => (at < row.length - 1 ? text.padEnd(widths[at]!) : text)).join('')
  return cells.map(row => `${line(row)}\n`).join('')
}
