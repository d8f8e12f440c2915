// What is shown of flows and of levels, and how it is named.
import type { PassiveClock } from '../../base/clock.ts'
import type { FlowStats } from './flow-stats.ts'
import type { InFlight } from './in-flight.ts'
import type { PriorityLevel } from './priority-level.ts'
import type { PriorityLevels } from './priority-levels.ts'
import type { Labels } from './tally-histogram.ts'

export interface FlowFigures {
  levels: PriorityLevels
  inFlight: InFlight
  clock: PassiveClock
}

export const PREFIX = 'apiserver_flowcontrol_'
export const BY_FLOW = ['priority_level', 'flow_schema']
export const BY_LEVEL = ['priority_level']

export const flowLabels = ({ level, schema }: FlowStats): Labels => ({
  priority_level: level,
  flow_schema: schema,
})
export const levelLabels = ({ name }: PriorityLevel): Labels => ({ priority_level: name })
