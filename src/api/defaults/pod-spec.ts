// Defaults of Pods and pod templates. Upstream: pkg/apis/core/v1/defaults.go and zz_generated.defaults.go.
import { isPodLevelResource, parseAmounts, podRequests } from '../pod/resources.ts'
import type { Container, EphemeralContainer, Lifecycle, PodSpec, Probe, Volume } from '../types/core-v1.ts'

const FILE_MODE = 0o644
const TOKEN_SECONDS = 3600

/** What every pod spec gets, in Pods and in templates. */
export function defaultPodSpec(spec: PodSpec): void {
  spec.restartPolicy ??= 'Always'
  spec.terminationGracePeriodSeconds ??= 30
  spec.dnsPolicy ||= 'ClusterFirst'
  defaultServiceAccount(spec)
  spec.securityContext ??= {}
  spec.schedulerName ||= 'default-scheduler'
  for (const volume of spec.volumes ?? []) defaultVolume(volume)
  for (const container of spec.initContainers ?? []) defaultContainer(container)
  for (const container of spec.containers ?? []) defaultContainer(container)
  for (const container of spec.ephemeralContainers ?? []) defaultEphemeralContainer(container)
}

/** Only Pods themselves, never templates, whose hashes would change. Upstream: SetDefaults_Pod. */
export function defaultPod(spec: PodSpec): void {
  spec.enableServiceLinks ??= true
  if (spec.hostNetwork) defaultHostPorts([...(spec.containers ?? []), ...(spec.initContainers ?? [])])
  for (const container of [...(spec.initContainers ?? []), ...(spec.containers ?? [])])
    requestsFollowLimits(container)
  defaultPodLevelRequests(spec)
}

/** The old name of the field is kept in step with the new one. */
function defaultServiceAccount(spec: PodSpec): void {
  const name = spec.serviceAccountName || spec.serviceAccount
  if (!name) return
  spec.serviceAccountName = name
  spec.serviceAccount = name
}

function defaultContainer(container: Container): void {
  defaultRunning(container)
  for (const port of container.ports ?? []) port.protocol ||= 'TCP'
  for (const probe of [container.livenessProbe, container.readinessProbe, container.startupProbe]) {
    if (probe) defaultProbe(probe)
  }
  if (container.lifecycle) defaultLifecycle(container.lifecycle)
}

export function defaultEphemeralContainer(container: EphemeralContainer): void {
  defaultRunning(container)
  for (const port of container.ports ?? []) port.protocol ||= 'TCP'
}

function defaultRunning(container: Container | EphemeralContainer): void {
  container.terminationMessagePath ||= '/dev/termination-log'
  container.terminationMessagePolicy ||= 'File'
  container.imagePullPolicy ||= isLatest(container.image ?? '') ? 'Always' : 'IfNotPresent'
  for (const { valueFrom } of container.env ?? []) {
    if (valueFrom?.fieldRef) valueFrom.fieldRef.apiVersion ||= 'v1'
    if (valueFrom?.fileKeyRef) valueFrom.fileKeyRef.optional ??= false
  }
}

/** No tag and no digest mean latest. Upstream: parsers.ParseImageName. */
function isLatest(image: string): boolean {
  if (image.includes('@')) return false
  const tag = image.slice(image.lastIndexOf('/') + 1).split(':')[1]
  return tag === undefined || tag === 'latest'
}

function defaultProbe(probe: Probe): void {
  probe.timeoutSeconds ||= 1
  probe.periodSeconds ||= 10
  probe.successThreshold ||= 1
  probe.failureThreshold ||= 3
  if (probe.httpGet) {
    probe.httpGet.path ||= '/'
    probe.httpGet.scheme ||= 'HTTP'
  }
  if (probe.grpc) probe.grpc.service ??= ''
}

function defaultLifecycle({ postStart, preStop }: Lifecycle): void {
  for (const handler of [postStart, preStop]) {
    if (!handler?.httpGet) continue
    handler.httpGet.path ||= '/'
    handler.httpGet.scheme ||= 'HTTP'
  }
}

function defaultHostPorts(containers: readonly Container[]): void {
  for (const port of containers.flatMap(({ ports }) => ports ?? [])) port.hostPort ||= port.containerPort
}

function defaultVolume(volume: Volume): void {
  const sources = Object.keys(volume).filter(key => key !== 'name')
  if (sources.length === 0) volume.emptyDir = {}
  for (const source of [volume.secret, volume.configMap, volume.downwardAPI])
    if (source) source.defaultMode ??= FILE_MODE
  for (const item of volume.downwardAPI?.items ?? []) if (item.fieldRef) item.fieldRef.apiVersion ||= 'v1'
  if (volume.hostPath) volume.hostPath.type ??= ''
  if (volume.projected) {
    volume.projected.defaultMode ??= FILE_MODE
    for (const { serviceAccountToken, downwardAPI } of volume.projected.sources ?? []) {
      if (serviceAccountToken) serviceAccountToken.expirationSeconds ??= TOKEN_SECONDS
      for (const item of downwardAPI?.items ?? []) if (item.fieldRef) item.fieldRef.apiVersion ||= 'v1'
    }
  }
  if (volume.iscsi) volume.iscsi.iscsiInterface ||= 'default'
  if (volume.rbd) {
    volume.rbd.pool ||= 'rbd'
    volume.rbd.user ||= 'admin'
    volume.rbd.keyring ||= '/etc/ceph/keyring'
  }
  if (volume.image)
    volume.image.pullPolicy ||= isLatest(volume.image.reference ?? '') ? 'Always' : 'IfNotPresent'
  const template = volume.ephemeral?.volumeClaimTemplate
  if (template) template.spec.volumeMode ??= 'Filesystem'
}

function requestsFollowLimits(container: Container): void {
  const { limits, requests } = container.resources ?? {}
  if (!limits) return
  const filled = { ...requests }
  for (const [name, limit] of Object.entries(limits)) filled[name] ??= limit
  container.resources.requests = filled
}

/** Upstream: defaultPodRequests. */
function defaultPodLevelRequests(spec: PodSpec): void {
  const limits = spec.resources?.limits
  if (!spec.resources || (!limits && !spec.resources.requests)) return
  const requests = { ...spec.resources.requests }
  const fromContainers = podRequests({
    spec: { ...spec, resources: undefined, overhead: undefined } as PodSpec,
  })
  for (const [name, amount] of fromContainers) {
    if (isPodLevelResource(name) && !(name in requests) && !name.startsWith('hugepages-'))
      requests[name] = amount.toString()
  }
  for (const [name, limit] of parseAmounts(limits)) {
    if (isPodLevelResource(name) && !(name in requests)) requests[name] = limit.toString()
  }
  spec.resources.requests = requests
}
