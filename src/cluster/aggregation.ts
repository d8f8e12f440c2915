// Runs the aggregator: its registrations follow what is served, and the servers behind learn whom to believe.
import type { ApiHandler, UserInfo } from '../api/request.ts'
import { isAlreadyExists } from '../api/status-error.ts'
import type { Aggregator } from '../apiserver/aggregation/aggregator.ts'
import { authenticationFacts, type FrontProxy } from '../apiserver/aggregation/front-proxy.ts'
import type { Pki } from '../apiserver/pki/pki.ts'
import { type ClusterParts, keepRunning } from './parts.ts'
import type { ServedResources } from './served-resources.ts'

const SERVER: UserInfo = { name: 'system:apiserver', groups: ['system:masters'] }
const FACTS = { namespace: 'kube-system', name: 'extension-apiserver-authentication' }

export interface AggregationParts {
  aggregator: Aggregator
  served: ServedResources
  identity: FrontProxy
  handle: ApiHandler
  pki: Pki
}

export function startAggregation(parts: ClusterParts, aggregation: AggregationParts): void {
  const { aggregator, served, identity, handle, pki } = aggregation
  keepRunning(parts, signal => aggregator.run(signal))
  let last: Promise<void> = tellFacts(handle, authenticationFacts(pki.authorityCertificate, identity))
  const register = () => {
    // One after the other: the newest list is registered last.
    last = last
      .then(() => aggregator.registerOwn(served.groupVersions()))
      .catch(error => parts.log.warn({ error }, 'APIServices are not registered'))
  }
  served.subscribe(register)
  register()
}

async function tellFacts(handle: ApiHandler, data: Record<string, string>): Promise<void> {
  const where = {
    user: SERVER,
    userAgent: 'kube-apiserver',
    group: '',
    version: 'v1',
    resource: 'configmaps',
    namespace: FACTS.namespace,
  } as const
  const body = () => ({ metadata: { ...FACTS }, data: { ...data } })
  try {
    await handle({ ...where, verb: 'create', body: body() })
  } catch (error) {
    if (!isAlreadyExists(error)) throw error
    await handle({ ...where, verb: 'update', name: FACTS.name, body: body() })
  }
}
