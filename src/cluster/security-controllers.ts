// Starts the controllers that look after who may do what.
import { runClusterRoleAggregation } from '../controllers/cluster-role-aggregation/cluster-role-aggregation.ts'
import type { RunningApiServer } from './api-server.ts'
import { type ClusterParts, keepRunning } from './parts.ts'

export function startSecurityControllers(api: RunningApiServer, parts: ClusterParts): void {
  const { clock, log } = parts
  const contextOf = (account: string) => ({ client: api.controllerClient(account), clock, log })
  keepRunning(parts, signal =>
    runClusterRoleAggregation(contextOf('clusterrole-aggregation-controller'), signal),
  )
}
