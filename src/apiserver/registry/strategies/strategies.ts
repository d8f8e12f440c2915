// Which strategy serves which resource. Whatever is not named here gets the default.
import type { ResourceInfo } from '../../../api/resources.ts'
import { qualifiedName } from '../../../api/status-error.ts'
import type { Strategy } from '../strategy.ts'
import { CrdStrategy } from './apiextensions/crd-strategy.ts'
import { DaemonSetStrategy } from './apps/daemon-set-strategy.ts'
import { CronJobStrategy } from './batch/cron-job-strategy.ts'
import { JobStrategy } from './batch/job-strategy.ts'
import { CertificateStrategy } from './certificates/certificate-strategy.ts'
import { EndpointSliceStrategy } from './core/endpoint-slice-strategy.ts'
import { NamespaceStrategy } from './core/namespace-strategy.ts'
import { PodStrategy } from './core/pod-strategy.ts'
import { ServiceCidrStrategy } from './core/service-cidr-strategy.ts'
import type { ServiceParts } from './core/service-parts.ts'
import { ServiceStrategy } from './core/service-strategy.ts'
import { PendingVolumeStrategy, PersistentVolumeStrategy } from './core/volume-strategy.ts'
import { DefaultStrategy } from './default-strategy.ts'
import { ResourceClaimStrategy } from './devices/claim-strategy.ts'
import { ResourceSliceStrategy } from './devices/slice-strategy.ts'

export interface StrategyParts {
  services: ServiceParts
}

const makers: Record<string, (info: ResourceInfo, parts: StrategyParts) => Strategy> = {
  pods: () => new PodStrategy(),
  namespaces: () => new NamespaceStrategy(),
  'servicecidrs.networking.k8s.io': (info, parts) =>
    new ServiceCidrStrategy(info, () => parts.services.rangesChanged()),
  'endpointslices.discovery.k8s.io': info => new EndpointSliceStrategy(info),
  services: (_, parts) => new ServiceStrategy(parts.services),
  persistentvolumes: info => new PersistentVolumeStrategy(info),
  persistentvolumeclaims: info => new PendingVolumeStrategy(info),
  'daemonsets.apps': info => new DaemonSetStrategy(info),
  'certificatesigningrequests.certificates.k8s.io': () => new CertificateStrategy(),
  'customresourcedefinitions.apiextensions.k8s.io': () => new CrdStrategy(),
  'jobs.batch': () => new JobStrategy(),
  'cronjobs.batch': () => new CronJobStrategy(),
  'resourceclaims.resource.k8s.io': info => new ResourceClaimStrategy(info),
  'resourceslices.resource.k8s.io': info => new ResourceSliceStrategy(info),
}

export function strategyFor(info: ResourceInfo, parts: StrategyParts): Strategy {
  return makers[qualifiedName(info)]?.(info, parts) ?? new DefaultStrategy(info)
}
