// Which revision a StatefulSet's template is, and what must be written for that. Pure.
// Upstream: getStatefulSetRevisions in stateful_set_control.go.
import type { ControllerRevision, StatefulSet } from '../../api/types/apps-v1.ts'
import { hasData, highestRevision, templatePatch } from '../history/revision.ts'

export type UpdateRevision =
  | { is: 'newest'; revision: ControllerRevision }
  /** An earlier template has come back: its revision becomes the newest under this number. */
  | { is: 'earlier'; revision: ControllerRevision; number: number }
  | { is: 'new'; number: number }

/** `revisions`: the oldest first. */
export function chooseUpdateRevision(
  set: StatefulSet,
  revisions: readonly ControllerRevision[],
): UpdateRevision {
  const data = templatePatch(set.spec.template)
  const equal = revisions.filter(revision => hasData(revision, data)).at(-1)
  const number = highestRevision(revisions) + 1
  if (!equal) return { is: 'new', number }
  return equal === revisions.at(-1)
    ? { is: 'newest', revision: equal }
    : { is: 'earlier', revision: equal, number }
}

/** The one that the status names; at the beginning the newest. */
export function currentRevisionOf(
  { status }: StatefulSet,
  revisions: readonly ControllerRevision[],
  update: ControllerRevision,
): ControllerRevision {
  if (status.currentRevision === update.metadata.name) return update
  return revisions.find(({ metadata }) => metadata.name === status.currentRevision) ?? update
}
