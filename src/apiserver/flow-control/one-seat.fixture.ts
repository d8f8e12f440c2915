// A server whose users share one seat, for tests.
import { Registry } from 'prom-client'
import { flowSchemas, priorityLevels } from '../../api/flow-control/bootstrap.ts'
import type { LimitResponse } from '../../api/types/flowcontrol-v1.ts'
import type { Clock } from '../../base/clock.ts'
import { parseRequestInfo } from '../http/request-info.ts'
import { TestRegistry } from '../registry/test-registry.ts'
import { FlowControl } from './flow-control.ts'
import type { Turn } from './turn.ts'

const GROUP = 'flowcontrol.apiserver.k8s.io/v1'
interface Call {
  user?: string
  url?: string
  method?: string
}

/** A server whose users have one seat: one share of 600. */
export async function oneSeat(limitResponse: LimitResponse, clock: Clock) {
  const api = new TestRegistry()
  const metrics = new Registry()
  const { storage, registry } = api
  await api.create(`${GROUP}/prioritylevelconfigurations`, {
    metadata: { name: 'large' },
    spec: {
      ...priorityLevels.system,
      limited: { ...priorityLevels.system!.limited, nominalConcurrencyShares: 594 },
    },
  })
  const limited = { nominalConcurrencyShares: 1, borrowingLimitPercent: 0, limitResponse }
  await api.create(`${GROUP}/prioritylevelconfigurations`, {
    metadata: { name: 'users' },
    spec: { type: 'Limited', limited },
  })
  await api.create(`${GROUP}/flowschemas`, {
    metadata: { name: 'users' },
    spec: { ...flowSchemas['global-default'], priorityLevelConfiguration: { name: 'users' } },
  })
  const flows = new FlowControl({ storage, handle: registry.handle, clock, metrics })
  await flows.load()
  const enter = ({ user = 'jane', url = '/version', method = 'GET' }: Call = {}): Turn => {
    const [path = '', search] = url.split('?')
    const query = new URLSearchParams(search)
    const info = parseRequestInfo(method, path, query)
    return flows.enter({ info, user: { name: user, groups: ['system:authenticated'] }, query })
  }
  return { flows, enter, text: () => metrics.metrics() }
}
