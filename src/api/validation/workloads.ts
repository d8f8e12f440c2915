// Which checks the workload kinds must pass. Upstream: pkg/apis/{apps,batch,policy}/validation.
import { controllerRevisionValidator } from './apps/controller-revision.ts'
import { daemonSetValidator } from './apps/daemon-set.ts'
import { deploymentValidator, replicaSetValidator } from './apps/deployment.ts'
import { replicationControllerValidator } from './apps/replication-controller.ts'
import { statefulSetValidator } from './apps/stateful-set.ts'
import { cronJobValidator } from './batch/cron-job.ts'
import { jobValidator } from './batch/job.ts'
import { podDisruptionBudgetValidator } from './pod-disruption-budget.ts'
import type { Validator } from './validator.ts'

export const templateChecks: Record<string, Validator> = {
  '/ReplicationController': replicationControllerValidator,
  'apps/ControllerRevision': controllerRevisionValidator,
  'apps/DaemonSet': daemonSetValidator,
  'apps/Deployment': deploymentValidator,
  'apps/ReplicaSet': replicaSetValidator,
  'apps/StatefulSet': statefulSetValidator,
  'batch/CronJob': cronJobValidator,
  'batch/Job': jobValidator,
  'policy/PodDisruptionBudget': podDisruptionBudgetValidator,
}
