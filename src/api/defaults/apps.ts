// Upstream: pkg/apis/apps/v1/defaults.go.
import type { DaemonSet, Deployment, ReplicaSet, StatefulSet } from '../types/apps-v1.ts'
import { defaultPodSpec } from './pod-spec.ts'

export function defaultDeployment({ spec }: Deployment): void {
  defaultPodSpec(spec.template.spec)
  spec.replicas ??= 1
  spec.strategy.type ||= 'RollingUpdate'
  if (spec.strategy.type === 'RollingUpdate') {
    spec.strategy.rollingUpdate ??= {}
    spec.strategy.rollingUpdate.maxUnavailable ??= '25%'
    spec.strategy.rollingUpdate.maxSurge ??= '25%'
  }
  spec.revisionHistoryLimit ??= 10
  spec.progressDeadlineSeconds ??= 600
}

export function defaultReplicaSet(set: ReplicaSet): void {
  const labels = set.spec.template?.metadata?.labels
  if (labels && !set.metadata.labels) set.metadata.labels = { ...labels }
  if (set.spec.template?.spec) defaultPodSpec(set.spec.template.spec)
  set.spec.replicas ??= 1
}

export function defaultStatefulSet({ spec }: StatefulSet): void {
  defaultPodSpec(spec.template.spec)
  spec.podManagementPolicy ||= 'OrderedReady'
  spec.updateStrategy.type ||= 'RollingUpdate'
  if (spec.updateStrategy.type === 'RollingUpdate') {
    spec.updateStrategy.rollingUpdate ??= {}
    spec.updateStrategy.rollingUpdate.partition ??= 0
    spec.updateStrategy.rollingUpdate.maxUnavailable ??= 1
  }
  spec.persistentVolumeClaimRetentionPolicy ??= {}
  spec.persistentVolumeClaimRetentionPolicy.whenDeleted ||= 'Retain'
  spec.persistentVolumeClaimRetentionPolicy.whenScaled ||= 'Retain'
  spec.replicas ??= 1
  spec.revisionHistoryLimit ??= 10
  for (const claim of spec.volumeClaimTemplates ?? []) {
    claim.spec.volumeMode ??= 'Filesystem'
    claim.status.phase ||= 'Pending'
  }
}

export function defaultDaemonSet({ spec }: DaemonSet): void {
  defaultPodSpec(spec.template.spec)
  spec.updateStrategy.type ||= 'RollingUpdate'
  if (spec.updateStrategy.type === 'RollingUpdate') {
    spec.updateStrategy.rollingUpdate ??= {}
    spec.updateStrategy.rollingUpdate.maxUnavailable ??= 1
    spec.updateStrategy.rollingUpdate.maxSurge ??= 0
  }
  spec.revisionHistoryLimit ??= 10
}
