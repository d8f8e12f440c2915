// What the nodes and their pods use now, as their kubelets tell it: what the metrics API shows.
import type { ReadAccess } from '../api/node-access.ts'
import type { ApiHandler } from '../api/request.ts'
import type { UsageSummary } from '../apiserver/metrics-api/usage.ts'

/** A node that does not answer, or not with figures, is left out, as metrics-server does. */
export async function nodeUsage(
  handle: ApiHandler,
  access: Pick<ReadAccess, 'get'>,
): Promise<UsageSummary[]> {
  const user = { name: 'system:apiserver', groups: ['system:masters'] }
  const answer = await handle({ user, verb: 'list', group: '', version: 'v1', resource: 'nodes' })
  const list = answer.kind === 'object' ? (answer.object as unknown as NodeNames) : { items: [] }
  const summaries = await Promise.all(
    list.items.map(({ metadata }) => summaryOf(access, metadata.name).catch(() => undefined)),
  )
  return summaries.filter(summary => summary !== undefined)
}

interface NodeNames {
  items: { metadata: { name: string } }[]
}

async function summaryOf(
  access: Pick<ReadAccess, 'get'>,
  nodeName: string,
): Promise<UsageSummary | undefined> {
  const answer = await access.get(nodeName, '/stats/summary')
  if (!answer) return undefined
  const { node, pods } = JSON.parse(Buffer.from(answer.body).toString()) as UsageSummary
  // Lists of Go may be null where there is nothing.
  return { node, pods: (pods ?? []).map(pod => ({ ...pod, containers: pod.containers ?? [] })) }
}
