// Upstream: pkg/registry/batch/job/strategy.go.
import type { KubeObject } from '../../../../api/kube-object.ts'
import { isDns1123Label } from '../../../../api/names.ts'
import type { DeleteOptions } from '../../../../api/request.ts'
import { jobs } from '../../../../api/resources.ts'
import type { Job } from '../../../../api/types/batch-v1.ts'
import type { WriteContext } from '../../strategy.ts'
import { DefaultStrategy } from '../default-strategy.ts'

const UID_LABEL = 'batch.kubernetes.io/controller-uid'
const NAME_LABEL = 'batch.kubernetes.io/job-name'
/** From before labels had prefixes; tools still select by them. */
const OLD_UID_LABEL = 'controller-uid'
const OLD_NAME_LABEL = 'job-name'

export class JobStrategy extends DefaultStrategy {
  constructor() {
    super(jobs)
  }

  override prepareForCreate(object: KubeObject, context: WriteContext): void {
    super.prepareForCreate(object, context)
    const job = object as unknown as Job
    if (job.spec.manualSelector !== true) generateSelector(job)
  }

  warningsOnCreate({ metadata }: KubeObject): readonly string[] {
    return nameWarnings(metadata.name)
  }

  /** Leaving Pods behind is an old habit that nobody expects. Upstream: job/storage deleteOptionWarnings. */
  warningsOnDelete({ propagationPolicy, orphanDependents }: DeleteOptions): readonly string[] {
    if (propagationPolicy !== undefined || orphanDependents !== undefined) return []
    return [
      'child pods are preserved by default when jobs are deleted; set propagationPolicy=Background to remove them or set propagationPolicy=Orphan to suppress this warning',
    ]
  }
}

/** Upstream: WarningsOnCreate. */
export function nameWarnings(name: string): string[] {
  const problems = isDns1123Label(name)
  if (problems.length === 0) return []
  return [
    `metadata.name: this is used in Pod names and hostnames, which can result in surprising behavior; a DNS label is recommended: [${problems.join(' ')}]`,
  ]
}

/** The job's uid picks out its pods and nobody else's. Upstream: generateSelector, addJobLabels. */
function generateSelector({ metadata: { uid, name }, spec }: Job): void {
  const { template } = spec
  const identity = { [OLD_UID_LABEL]: uid, [UID_LABEL]: uid }
  const labels = { [OLD_NAME_LABEL]: name, [NAME_LABEL]: name, ...identity }
  template.metadata = { ...template.metadata, labels: { ...labels, ...template.metadata?.labels } }
  // A selector of the author's own stays, for validation to refuse.
  if (!spec.selector?.matchLabels?.[UID_LABEL]) {
    spec.selector = { ...spec.selector, matchLabels: { ...spec.selector?.matchLabels, [UID_LABEL]: uid } }
  }
}
