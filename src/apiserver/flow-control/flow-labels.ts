// How figures of flows and of levels are named.
import type { FlowStats } from './flow-stats.ts'
import type { PriorityLevel } from './priority-level.ts'
import type { Labels } from './tally-histogram.ts'

export const PREFIX = 'apiserver_flowcontrol_'
export const BY_FLOW = ['priority_level', 'flow_schema']
export const BY_LEVEL = ['priority_level']

export const flowLabels = ({ level, schema }: FlowStats): Labels => ({
  priority_level: level,
  flow_schema: schema,
})
export const levelLabels = ({ name }: PriorityLevel): Labels => ({ priority_level: name })
