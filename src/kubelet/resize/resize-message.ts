// Texts of the events about resizes. Upstream: events/event.go PodResize*Msg.
import type { Container, Pod, ResourceRequirements } from '../../api/types/core-v1.ts'

/** 'Pod resize started: {"containers":[…],"generation":2}' */
export function resizeMessage(
  prefix: string,
  { metadata, spec }: Pod,
  generation = metadata.generation ?? 0,
  error = '',
): string {
  const summary = {
    ...(spec.resources && { resources: sorted(spec.resources) }),
    ...(spec.initContainers?.length && { initContainers: spec.initContainers.map(summaryOf) }),
    containers: spec.containers.map(summaryOf),
    generation,
    ...(error && { error }),
  }
  return `${prefix}: ${JSON.stringify(summary)}`
}

const summaryOf = ({ name, resources }: Container) => ({ name, resources: sorted(resources) })

/** As Go writes maps. */
function sorted(resources: ResourceRequirements | undefined): ResourceRequirements {
  const inOrder = (list: Record<string, string>) =>
    Object.fromEntries(Object.entries(list).sort(([a], [b]) => (a < b ? -1 : 1)))
  const { limits, requests } = resources ?? {}
  return {
    ...(limits && Object.keys(limits).length > 0 && { limits: inOrder(limits) }),
    ...(requests && Object.keys(requests).length > 0 && { requests: inOrder(requests) }),
  }
}
