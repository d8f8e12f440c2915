// The pods whose figures count for an autoscaler. Upstream: validateAndParseSelector of horizontal.go.
import { type LabelMatcher, parseLabelSelector } from '../../api/labels.ts'
import type { Pod } from '../../api/types/core-v1.ts'
import { messageOf } from '../pod-control/pod-control.ts'

export interface PodFinder {
  podsOf(namespace: string, selects: LabelMatcher): readonly Pod[]
  /** Tells of this autoscaler's selector; answers who else selects the pods. */
  rivals(selects: LabelMatcher, pods: readonly Pod[]): string | undefined
}

/** The target's pods are not to be told from others. */
export class SelectorProblem extends Error {
  readonly reason: string
  /** In the condition. */
  readonly shown: string

  constructor(reason: string, message: string, shown = message) {
    super(message)
    this.reason = reason
    this.shown = shown
  }
}

/** `selector`: as the target's scale tells it. Throws SelectorProblem. */
export function targetPods(selector: string, namespace: string, finder: PodFinder): readonly Pod[] {
  if (!selector) {
    const shown = "the HPA target's scale is missing a selector"
    throw new SelectorProblem('SelectorRequired', 'selector is required', shown)
  }
  const selects = parse(selector)
  const pods = finder.podsOf(namespace, selects)
  const rivals = finder.rivals(selects, pods)
  if (rivals) {
    const message = `pods by selector ${selector} are controlled by multiple HPAs: ${rivals}`
    throw new SelectorProblem('AmbiguousSelector', message)
  }
  return pods
}

function parse(selector: string): LabelMatcher {
  try {
    return parseLabelSelector(selector)
  } catch (error) {
    const what = "couldn't convert selector into a corresponding internal selector object"
    throw new SelectorProblem('InvalidSelector', `${what}: ${messageOf(error)}`)
  }
}
