import { type ApiService, availability } from '../aggregation/api-service.ts'
import { ageOf } from './cells.ts'
import { AGE, column, NAME, type TableKind } from './table.ts'

/** Upstream: kube-aggregator pkg/registry/apiservice/etcd. */
export const apiServiceTable: TableKind<ApiService> = {
  columns: [
    NAME,
    column('Service', 'The Service whose servers answer; Local for this server.'),
    column('Available', 'Whether it answers.'),
    AGE,
  ],
  cells(service, now) {
    const { spec, metadata } = service
    const condition = availability(service)
    const status = condition?.status ?? 'Unknown'
    return [
      metadata.name,
      spec.service ? `${spec.service.namespace}/${spec.service.name}` : 'Local',
      status === 'True' || !condition?.reason ? status : `${status} (${condition.reason})`,
      ageOf(metadata, now),
    ]
  },
}
