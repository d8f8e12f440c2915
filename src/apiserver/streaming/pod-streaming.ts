// What pods/exec, attach and portforward have in common: the pod, its container, who may, and how refusals are told.

import type { NodeAccess, PodReference } from '../../api/node-access.ts'
import type { ApiHandler } from '../../api/request.ts'
import { badRequest, internalError, StatusError } from '../../api/status-error.ts'
import type { Pod } from '../../api/types/core-v1.ts'
import type { Clock } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import { type Authorizer, requireAllowed, resourceAttributes } from '../authz/authorizer.ts'
import { asPod } from '../registry/strategies/core/pod-strategy.ts'
import { answerPlainly, PlainRefusal, type UpgradeRequest } from './upgrade.ts'

export interface StreamingParts {
  /** Not authorizing: that is done before. */
  handle: ApiHandler
  authorizer: Authorizer
  nodeAccess: NodeAccess
  clock: Clock
  log: Log
}

/** The pod of the request. Throws NotFound. */
export async function podOf(
  { handle }: StreamingParts,
  { info, user }: Pick<UpgradeRequest, 'info' | 'user'>,
): Promise<Pod> {
  const { group, version, namespace, name = '' } = info
  const answer = await handle({
    user,
    verb: 'get',
    group,
    version,
    resource: 'pods',
    ...(namespace && { namespace }),
    name,
  })
  if (answer.kind !== 'object') throw internalError('a pod was asked for')
  return asPod(answer.object)
}

/** Throws BadRequest before the pod has a node. */
export function nodeOf({ metadata, spec }: Pod): string {
  if (spec.nodeName) return spec.nodeName
  throw badRequest(`pod ${metadata.name} does not have a host assigned`)
}

export function referenceTo({ metadata: { namespace = '', name, uid } }: Pod): PodReference {
  return { namespace, name, uid }
}

/**
 * A WebSocket begins with a GET; what it does is a create nevertheless.
 * Upstream: AuthorizePodWebsocketUpgradeCreatePermission.
 */
export async function requireCreate({ authorizer }: StreamingParts, upgrade: UpgradeRequest): Promise<void> {
  const { user, info } = upgrade
  if (info.verb === 'create') return
  const { group, version, resource, subresource, namespace, name } = info
  const asked = { user, verb: 'create', group, version, resource, subresource, namespace, name }
  await requireAllowed(authorizer, resourceAttributes(asked))
}

export const upgradeRequired = () => badRequest('Upgrade request required')

/** What a node refused, as an API server passes on the words of a kubelet: plain text with the kubelet's code. */
export function plainRefusal(error: unknown): PlainRefusal {
  if (error instanceof PlainRefusal) return error
  if (error instanceof StatusError) return new PlainRefusal(error.status.code, error.status.message)
  return new PlainRefusal(500, error instanceof Error ? error.message : String(error))
}

/** Runs `work`; a PlainRefusal becomes the answer. Other errors are the caller's. */
export async function orAnswerPlainly(upgrade: UpgradeRequest, work: () => Promise<void>): Promise<void> {
  try {
    await work()
  } catch (error) {
    if (!(error instanceof PlainRefusal)) throw error
    answerPlainly(upgrade.socket, error)
  }
}
