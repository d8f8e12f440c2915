// Starts the controllers of workloads and of their sizes, each under upstream's service account for it.
import { CronJobController } from '../controllers/cron-job/cron-job-controller.ts'
import { DaemonSetController } from '../controllers/daemon-set/daemon-set-controller.ts'
import { DeploymentController } from '../controllers/deployment/deployment-controller.ts'
import {
  type AutoscalerSettings,
  usualAutoscalerSettings,
} from '../controllers/horizontal-pod-autoscaler/autoscaler-settings.ts'
import { HorizontalPodAutoscalerController } from '../controllers/horizontal-pod-autoscaler/horizontal-pod-autoscaler-controller.ts'
import { JobController } from '../controllers/job/job-controller.ts'
import { ReplicaSetController } from '../controllers/replica-set/replica-set-controller.ts'
import { replicaSetKind } from '../controllers/replica-set/replicated.ts'
import { replicationControllerKind } from '../controllers/replication-controller/replication-controller-kind.ts'
import { StatefulSetController } from '../controllers/stateful-set/stateful-set-controller.ts'
import type { RunningApiServer } from './api-server.ts'
import { type ClusterParts, keepRunning } from './parts.ts'

export function startWorkloads(
  api: RunningApiServer,
  parts: ClusterParts,
  autoscaling: Partial<AutoscalerSettings> = {},
): void {
  const { clock, log } = parts
  const contextOf = (account: string) => ({ client: api.controllerClient(account), clock, log })
  const controllers = [
    new ReplicaSetController(contextOf('replicaset-controller'), replicaSetKind),
    new ReplicaSetController(contextOf('replication-controller'), replicationControllerKind),
    new DeploymentController(contextOf('deployment-controller')),
    new JobController(contextOf('job-controller')),
    new CronJobController(contextOf('cronjob-controller')),
    new StatefulSetController(contextOf('statefulset-controller')),
    new DaemonSetController(contextOf('daemon-set-controller')),
    new HorizontalPodAutoscalerController({
      client: api.metricsReader('horizontal-pod-autoscaler'),
      clock,
      log,
      catalog: api.catalog,
      settings: { ...usualAutoscalerSettings, ...autoscaling },
    }),
  ]
  for (const controller of controllers) keepRunning(parts, signal => controller.run(signal))
}
