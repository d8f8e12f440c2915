// The configuration that the kubelet works by, gaps filled, as /configz shows it: KubeletConfiguration's fields.
import { goDuration } from '../../api/duration.ts'
import { DEFAULT_HARD } from '../eviction/threshold.ts'
import type { KubeletConfiguration } from './kubelet-configuration.ts'
import { backOffLimits, imagePolicy, logLimits } from './settings.ts'

export interface ConfiguredNode {
  port: number
  clusterDns: readonly string[]
  clusterDomain: string
  /** As its status has it. */
  podLimit: number
}

/** Only what is true here is told: fields of upstream's that nothing reads are left out. */
export function effectiveConfiguration(
  configuration: KubeletConfiguration,
  { port, clusterDns, clusterDomain, podLimit }: ConfiguredNode,
): object {
  const images = imagePolicy(configuration)
  const logs = logLimits(configuration)
  return {
    enableServer: true,
    port,
    authentication: { anonymous: { enabled: false }, webhook: { enabled: true } },
    authorization: { mode: 'Webhook' },
    clusterDomain,
    clusterDNS: [...clusterDns],
    registerNode: true,
    cgroupsPerQOS: true,
    cgroupDriver: 'cgroupfs',
    cpuManagerPolicy: 'none',
    memoryManagerPolicy: 'None',
    topologyManagerPolicy: 'none',
    maxPods: podLimit,
    podPidsLimit: -1,
    evictionHard: DEFAULT_HARD,
    evictionPressureTransitionPeriod: goDuration(300_000),
    serializeImagePulls: false,
    maxParallelImagePulls: 4,
    shutdownGracePeriod: '0s',
    shutdownGracePeriodCriticalPods: '0s',
    ...configuration,
    imageMinimumGCAge: goDuration(images.minimumAgeMs),
    imageMaximumGCAge: goDuration(images.maximumAgeMs),
    imageGCHighThresholdPercent: images.highPercent,
    imageGCLowThresholdPercent: images.lowPercent,
    containerLogMaxSize: configuration.containerLogMaxSize ?? `${logs.maxBytes / 2 ** 20}Mi`,
    containerLogMaxFiles: logs.maxFiles,
    containerLogMonitorInterval: goDuration(logs.everyMs),
    crashLoopBackOff: { maxContainerRestartPeriod: goDuration(backOffLimits(configuration).maxMs) },
  }
}
