// A pod as CRI PodSandboxConfig. Upstream: kuberuntime_sandbox.go generatePodSandboxConfig.
import type { Pod } from '../../api/types/core-v1.ts'
import type { PodSandboxConfig, PortMapping, UserNamespace } from '../../runtime/cri/cri.generated.ts'
import type { NodeFacts } from '../node-facts.ts'
import { podLogDir } from '../pod-paths.ts'
import { LABEL } from '../runtime-view/cri-labels.ts'
import { podDns } from './pod-dns.ts'
import { kernelHostname, podHostname } from './pod-hostname.ts'
import { sandboxSecurityContext } from './security-context.ts'

/** `cgroupParent` is '' when pods have no cgroup of their own here. */
export function sandboxConfig(
  pod: Pod,
  attempt: number,
  facts: NodeFacts,
  cgroupParent: string,
  usernsOptions: UserNamespace,
): PodSandboxConfig {
  const { name, namespace = '', uid, labels = {}, annotations = {} } = pod.metadata
  const host = podHostname(pod, facts.nodeName, facts.clusterDomain)
  const sysctls = Object.fromEntries(
    (pod.spec.securityContext?.sysctls ?? []).map(({ name, value }) => [name, value]),
  )
  return {
    metadata: { name, uid, namespace, attempt },
    ...(!pod.spec.hostNetwork && { hostname: kernelHostname(pod, host) }),
    logDirectory: podLogDir(facts, pod),
    dnsConfig: podDns(pod, { ...facts, resolvConf: facts.resolvConf() }),
    portMappings: pod.spec.hostNetwork ? [] : portMappings(pod),
    labels: { ...labels, [LABEL.podName]: name, [LABEL.podNamespace]: namespace, [LABEL.podUid]: uid },
    annotations,
    linux: {
      cgroupParent,
      securityContext: sandboxSecurityContext(pod, { rootDir: facts.rootDir, usernsOptions }),
      sysctls,
    },
  }
}

/** Of app containers and init containers alike; the runtime only needs those with a hostPort. */
function portMappings({ spec }: Pod): PortMapping[] {
  return [...(spec.initContainers ?? []), ...spec.containers].flatMap(({ ports = [] }) =>
    ports.map(({ protocol = 'TCP', containerPort, hostPort = 0, hostIP = '' }) => ({
      protocol,
      containerPort,
      hostPort,
      hostIp: hostIP,
    })),
  )
}
