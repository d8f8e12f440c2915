// Upstream: pkg/registry/batch/cronjob/strategy.go.
import type { KubeObject } from '../../../../api/kube-object.ts'
import { cronJobs } from '../../../../api/resources.ts'
import { DefaultStrategy } from '../default-strategy.ts'
import { nameWarnings } from './job-strategy.ts'

export class CronJobStrategy extends DefaultStrategy {
  constructor() {
    super(cronJobs)
  }

  warningsOnCreate({ metadata }: KubeObject): readonly string[] {
    return nameWarnings(metadata.name)
  }
}
