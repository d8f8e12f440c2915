// Which of a DaemonSet's revisions its template is. Upstream: constructHistory in pkg/controller/daemon/update.go.
import type { ControllerRevision, DaemonSet } from '../../api/types/apps-v1.ts'
import { hasData, highestRevision, REVISION_HASH, revisionName, templatePatch } from '../history/revision.ts'
import type { RevisionHistory } from '../history/revision-history.ts'
import { templateHash } from '../history/template-hash.ts'

export interface DaemonRevisions {
  newest: ControllerRevision
  old: ControllerRevision[]
  collisionCount: number
}

export async function reviseDaemonSet(
  history: RevisionHistory<DaemonSet>,
  set: DaemonSet,
): Promise<DaemonRevisions> {
  const revisions = await history.claim(set)
  const { template } = set.spec
  const data = templatePatch(template)
  const present = revisions.filter(revision => hasData(revision, data)).at(-1)
  const old = revisions.filter(revision => revision !== present)
  const number = highestRevision(old) + 1
  const collisionCount = set.status.collisionCount ?? 0
  if (present) {
    const newest = present.revision < number ? await history.renumber(present, number) : present
    return { newest, old, collisionCount }
  }
  const draft = {
    labels: template.metadata?.labels ?? {},
    annotations: set.metadata.annotations,
    data,
    revision: number,
  }
  const naming = (count: number) => {
    const hash = templateHash(template, count === 0 ? set.status.collisionCount : count)
    return { name: revisionName(set.metadata.name, hash), labels: { [REVISION_HASH]: hash } }
  }
  const made = await history.create(set, draft, naming, collisionCount)
  return { newest: made.revision, old, collisionCount: made.collisionCount }
}

export const hashOf = ({ metadata }: ControllerRevision): string => metadata.labels?.[REVISION_HASH] ?? ''
