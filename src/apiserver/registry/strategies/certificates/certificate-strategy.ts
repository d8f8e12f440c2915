// Certificate requests: who asks is written down by the server, and what was asked never changes.
// Upstream: pkg/registry/certificates/certificates/strategy.go.
import type { KubeObject } from '../../../../api/kube-object.ts'
import { certificateSigningRequests } from '../../../../api/resources.ts'
import { formatTime } from '../../../../api/time.ts'
import type {
  CertificateSigningRequest,
  CertificateSigningRequestCondition as Condition,
} from '../../../../api/types/certificates-v1.ts'
import { validateUpdate } from '../../../../api/validation/validation.ts'
import type { UpdateStrategy, WriteContext } from '../../strategy.ts'
import { DefaultStrategy } from '../default-strategy.ts'

/** Only who approves sets these, and only through /approval. */
const SETTLED = new Set(['Approved', 'Denied'])

export class CertificateStrategy extends DefaultStrategy {
  readonly approval: UpdateStrategy
  override readonly status: UpdateStrategy

  constructor() {
    super(certificateSigningRequests)
    const { allowUnconditionalUpdate } = this
    const common = {
      allowUnconditionalUpdate,
      allowCreateOnUpdate: false,
      validateUpdate: (object: KubeObject, old: KubeObject) => validateUpdate(object, old, 'status'),
    }
    this.approval = { ...common, prepareForUpdate: prepareApproval }
    this.status = { ...common, prepareForUpdate: prepareStatus }
  }

  override prepareForCreate(object: KubeObject, context: WriteContext): void {
    super.prepareForCreate(object, context)
    const { spec } = object as unknown as CertificateSigningRequest
    const { name, uid, groups, extra } = context.user
    spec.username = name
    spec.groups = [...groups]
    if (uid) spec.uid = uid
    else delete spec.uid
    if (extra) spec.extra = { ...extra }
    else delete spec.extra
  }

  override prepareForUpdate(object: KubeObject, old: KubeObject): void {
    object.spec = old.spec
    object.status = old.status
  }
}

function prepareApproval(object: KubeObject, old: KubeObject, { now }: WriteContext): void {
  const [request, before] = [object, old].map(one => one as unknown as CertificateSigningRequest)
  request!.spec = before!.spec
  const conditions = withTimes(request!.status?.conditions ?? [], before!.status?.conditions ?? [], now)
  request!.status = { ...before!.status, conditions }
}

/** Signers write certificates and failures; approval is not theirs. */
function prepareStatus(object: KubeObject, old: KubeObject, { now }: WriteContext): void {
  const [request, before] = [object, old].map(one => one as unknown as CertificateSigningRequest)
  request!.spec = before!.spec
  const known = before!.status?.conditions ?? []
  const isKept = ({ type }: Condition) => SETTLED.has(type)
  const conditions = [
    ...known.filter(isKept),
    ...(request!.status?.conditions ?? []).filter(one => !isKept(one)),
  ]
  request!.status = { ...request!.status, conditions: withTimes(conditions, known, now) }
}

/** Upstream: populateConditionTimestamps. */
function withTimes(conditions: readonly Condition[], before: readonly Condition[], now: number): Condition[] {
  const at = formatTime(now)
  return conditions.map(condition => {
    const old = before.find(({ type }) => type === condition.type)
    const since = old?.status === condition.status ? old.lastTransitionTime : undefined
    return {
      ...condition,
      lastUpdateTime: condition.lastUpdateTime ?? at,
      lastTransitionTime: condition.lastTransitionTime ?? since ?? at,
    }
  })
}
