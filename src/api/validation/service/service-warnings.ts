// What a Service's author is told although it is stored. Upstream: pkg/api/service/warnings.go.
import type { Service } from '../../types/core-v1.ts'
import { isHeadless } from './cluster-ips.ts'

const HINTS = 'service.kubernetes.io/topology-aware-hints'
const MODE = 'service.kubernetes.io/topology-mode'

export function serviceWarnings({ metadata, spec }: Service): string[] {
  const warnings: string[] = []
  if (metadata.annotations?.[HINTS] !== undefined)
    warnings.push(`annotation ${HINTS} is deprecated, please use ${MODE} instead`)
  if (!isHeadless(spec)) return warnings
  const ignored = (field: string) => warnings.push(`${field} is ignored when spec.clusterIP is "None"`)
  if (spec.loadBalancerIP) ignored('spec.loadBalancerIP')
  if (spec.externalIPs?.length) ignored('spec.externalIPs')
  if (spec.sessionAffinity !== 'None') ignored('spec.SessionAffinity')
  return warnings
}
