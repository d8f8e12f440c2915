// The level 'baseline' of the Pod Security Standards. Upstream: pod-security-admission/policy/check_*.go.
import type { Container, LifecycleHandler, Probe, SELinuxOptions } from '../../../api/types/core-v1.ts'
import {
  allContainers,
  type CheckPod,
  containersText,
  hasOwnUsers,
  namesWhere,
  type PodCheck,
  type PodLike,
  quoted,
  settersText,
  sortedQuoted,
} from './check.ts'

const APP_ARMOR = 'container.apparmor.security.beta.kubernetes.io/'
const SECCOMP_POD = 'seccomp.security.alpha.kubernetes.io/pod'
const SECCOMP_CONTAINER = 'container.seccomp.security.alpha.kubernetes.io/'
const DEFAULT_CAPABILITIES = new Set(
  'AUDIT_WRITE CHOWN DAC_OVERRIDE FOWNER FSETID KILL MKNOD NET_BIND_SERVICE SETFCAP SETGID SETPCAP SETUID SYS_CHROOT'.split(
    ' ',
  ),
)

const appArmor: CheckPod = ({ metadata, spec }) => {
  const isBad = (type: string | undefined) =>
    type !== undefined && type !== 'RuntimeDefault' && type !== 'Localhost'
  const values: string[] = []
  const podType = spec.securityContext?.appArmorProfile?.type
  if (isBad(podType)) values.push(podType!)
  const containers = namesWhere(spec, ({ securityContext }) => {
    const type = securityContext?.appArmorProfile?.type
    if (isBad(type)) values.push(type!)
    return isBad(type)
  })
  const annotations = Object.entries(metadata?.annotations ?? {})
    .filter(
      ([key, value]) =>
        key.startsWith(APP_ARMOR) &&
        value !== '' &&
        value !== 'runtime/default' &&
        !value.startsWith('localhost/'),
    )
    .map(([key, value]) => {
      values.push(value)
      return key
    })
  if (values.length === 0) return undefined
  const setters = [
    settersText(isBad(podType), containers),
    annotations.length > 0
      ? `${annotations.length === 1 ? 'annotation' : 'annotations'} ${sortedQuoted(annotations)}`
      : '',
  ]
  return {
    reason: new Set(values).size === 1 ? 'forbidden AppArmor profile' : 'forbidden AppArmor profiles',
    detail: `${setters.filter(Boolean).join(' and ')} must not set AppArmor profile type to ${sortedQuoted(values)}`,
  }
}

const capabilities: CheckPod = ({ spec }) => {
  const added: string[] = []
  const names = namesWhere(spec, ({ securityContext }) => {
    const bad = (securityContext?.capabilities?.add ?? []).filter(name => !DEFAULT_CAPABILITIES.has(name))
    added.push(...bad)
    return bad.length > 0
  })
  if (names.length === 0) return undefined
  return {
    reason: 'non-default capabilities',
    detail: `${containersText(names)} must not include ${sortedQuoted(added)} in securityContext.capabilities.add`,
  }
}

const hostNamespaces: CheckPod = ({ spec }) => {
  const set = (['hostNetwork', 'hostPID', 'hostIPC'] as const).filter(field => spec[field])
  if (set.length === 0) return undefined
  return { reason: 'host namespaces', detail: set.map(field => `${field}=true`).join(', ') }
}

const hostPathVolumes: CheckPod = ({ spec }) => {
  const names = (spec.volumes ?? []).filter(({ hostPath }) => hostPath).map(({ name }) => name)
  if (names.length === 0) return undefined
  return {
    reason: 'hostPath volumes',
    detail: `${names.length === 1 ? 'volume' : 'volumes'} ${quoted(names)}`,
  }
}

const hostPorts: CheckPod = ({ spec }) => {
  const ports: number[] = []
  const names = namesWhere(spec, ({ ports: own = [] }) => {
    const used = own.flatMap(({ hostPort }) => (hostPort ? [hostPort] : []))
    ports.push(...used)
    return used.length > 0
  })
  if (names.length === 0) return undefined
  const list = [...new Set(ports)].map(String).sort()
  return {
    reason: 'hostPort',
    detail: `${containersText(names)} ${names.length === 1 ? 'uses' : 'use'} ${list.length === 1 ? 'hostPort' : 'hostPorts'} ${list.join(', ')}`,
  }
}

const hostProbes: CheckPod = ({ spec }) => {
  const hosts: string[] = []
  const names = namesWhere(spec, container => {
    const used = handlersOf(container).flatMap(handler =>
      [handler?.httpGet?.host, handler?.tcpSocket?.host].filter(host => host !== undefined && host !== ''),
    ) as string[]
    hosts.push(...used)
    return used.length > 0
  })
  if (names.length === 0) return undefined
  const what = new Set(hosts).size === 1 ? 'probe or lifecycle host' : 'probe or lifecycle hosts'
  const sorted = [...new Set(names)].sort()
  return {
    reason: 'probe or lifecycle host',
    detail: `${containersText(sorted)} ${sorted.length === 1 ? 'uses' : 'use'} ${what} ${sortedQuoted(hosts)}`,
  }
}

function handlersOf({
  livenessProbe,
  readinessProbe,
  startupProbe,
  lifecycle,
}: Container): (Probe | LifecycleHandler | undefined)[] {
  return [livenessProbe, readinessProbe, startupProbe, lifecycle?.postStart, lifecycle?.preStop]
}

const privileged: CheckPod = ({ spec }) => {
  const names = namesWhere(spec, ({ securityContext }) => securityContext?.privileged === true)
  if (names.length === 0) return undefined
  return {
    reason: 'privileged',
    detail: `${containersText(names)} must not set securityContext.privileged=true`,
  }
}

const procMount: CheckPod = ({ spec }) => {
  const types: string[] = []
  const names = namesWhere(spec, ({ securityContext }) => {
    const type = securityContext?.procMount
    if (type === undefined || type === 'Default') return false
    types.push(type)
    return true
  })
  if (names.length === 0) return undefined
  return {
    reason: 'procMount',
    detail: `${containersText(names)} must not set securityContext.procMount to ${sortedQuoted(types)}`,
  }
}

const SELINUX_TYPES = ['', 'container_t', 'container_init_t', 'container_kvm_t']

function seLinux(allowed: readonly string[]): CheckPod {
  return ({ spec }) => {
    const [types, others]: [Set<string>, Set<'user' | 'role'>] = [new Set(), new Set()]
    const isBad = (options: SELinuxOptions | undefined): boolean => {
      if (!options) return false
      const { type = '', user, role } = options
      if (!allowed.includes(type)) types.add(type)
      if (user) others.add('user')
      if (role) others.add('role')
      return !allowed.includes(type) || Boolean(user) || Boolean(role)
    }
    const byPod = isBad(spec.securityContext?.seLinuxOptions)
    const setters = settersText(
      byPod,
      namesWhere(spec, ({ securityContext }) => isBad(securityContext?.seLinuxOptions)),
    )
    if (!setters) return undefined
    const data = [
      ...(types.size > 0 ? [`${types.size === 1 ? 'type' : 'types'} ${sortedQuoted(types)}`] : []),
      ...(['user', 'role'] as const)
        .filter(field => others.has(field))
        .map(field => `${field} may not be set`),
    ]
    return {
      reason: 'seLinuxOptions',
      detail: `${setters} set forbidden securityContext.seLinuxOptions: ${data.join('; ')}`,
    }
  }
}

const isGoodSeccomp = (value: string) =>
  value === 'runtime/default' || value === 'docker/default' || value.startsWith('localhost/')

const seccompAnnotations: CheckPod = ({ metadata, spec }) => {
  const keys = [SECCOMP_POD, ...allContainers(spec).map(({ name }) => SECCOMP_CONTAINER + name)]
  const bad = keys.flatMap(key => {
    const value = metadata?.annotations?.[key]
    return value === undefined || isGoodSeccomp(value) ? [] : [`${key}=${JSON.stringify(value)}`]
  })
  if (bad.length === 0) return undefined
  const list = [...new Set(bad)].sort()
  return {
    reason: 'seccompProfile',
    detail: `forbidden ${list.length === 1 ? 'annotation' : 'annotations'} ${list.join(', ')}`,
  }
}

/** Who sets a type that is not allowed, and which types; shared with the stricter level. */
export function badSeccomp({ spec }: PodLike): { setters: string; types: string[] } {
  const types: string[] = []
  const isBad = (type: string | undefined) => {
    if (type === undefined || type === 'RuntimeDefault' || type === 'Localhost') return false
    types.push(type)
    return true
  }
  const byPod = isBad(spec.securityContext?.seccompProfile?.type)
  const names = namesWhere(spec, ({ securityContext }) => isBad(securityContext?.seccompProfile?.type))
  return { setters: settersText(byPod, names), types }
}

export const seccompProfile: CheckPod = pod => {
  const { setters, types } = badSeccomp(pod)
  if (!setters) return undefined
  return {
    reason: 'seccompProfile',
    detail: `${setters} must not set securityContext.seccompProfile.type to ${sortedQuoted(types)}`,
  }
}

const SYSCTLS = [
  'kernel.shm_rmid_forced',
  'net.ipv4.ip_local_port_range',
  'net.ipv4.tcp_syncookies',
  'net.ipv4.ping_group_range',
  'net.ipv4.ip_unprivileged_port_start',
]
const SYSCTLS_27 = [...SYSCTLS, 'net.ipv4.ip_local_reserved_ports']
const SYSCTLS_29 = [
  ...SYSCTLS_27,
  'net.ipv4.tcp_keepalive_time',
  'net.ipv4.tcp_fin_timeout',
  'net.ipv4.tcp_keepalive_intvl',
  'net.ipv4.tcp_keepalive_probes',
]
const SYSCTLS_32 = [...SYSCTLS_29, 'net.ipv4.tcp_rmem', 'net.ipv4.tcp_wmem']

const sysctls =
  (allowed: readonly string[]): CheckPod =>
  ({ spec }) => {
    const bad = (spec.securityContext?.sysctls ?? [])
      .map(({ name }) => name)
      .filter(name => !allowed.includes(name))
    return bad.length > 0 ? { reason: 'forbidden sysctls', detail: bad.join(', ') } : undefined
  }

const hostProcess: CheckPod = ({ spec }) => {
  const byPod = spec.securityContext?.windowsOptions?.hostProcess === true
  const setters = settersText(
    byPod,
    namesWhere(spec, ({ securityContext }) => securityContext?.windowsOptions?.hostProcess === true),
  )
  if (!setters) return undefined
  return {
    reason: 'hostProcess',
    detail: `${setters} must not set securityContext.windowsOptions.hostProcess=true`,
  }
}

export const baselineChecks: readonly PodCheck[] = [
  { id: 'appArmorProfile', versions: [[0, appArmor]] },
  { id: 'capabilities_baseline', versions: [[0, capabilities]] },
  { id: 'hostNamespaces', versions: [[0, hostNamespaces]] },
  { id: 'hostPathVolumes', versions: [[0, hostPathVolumes]] },
  { id: 'hostPorts', versions: [[0, hostPorts]] },
  { id: 'hostProbesAndHostLifecycle', versions: [[34, hostProbes]] },
  { id: 'privileged', versions: [[0, privileged]] },
  {
    id: 'procMount',
    versions: [
      [0, procMount],
      [35, pod => (hasOwnUsers(pod) ? undefined : procMount(pod))],
    ],
  },
  {
    id: 'seLinuxOptions',
    versions: [
      [0, seLinux(SELINUX_TYPES)],
      [31, seLinux([...SELINUX_TYPES, 'container_engine_t'])],
    ],
  },
  {
    id: 'seccompProfile_baseline',
    versions: [
      [0, seccompAnnotations],
      [19, seccompProfile],
    ],
  },
  {
    id: 'sysctls',
    versions: [
      [0, sysctls(SYSCTLS)],
      [27, sysctls(SYSCTLS_27)],
      [29, sysctls(SYSCTLS_29)],
      [32, sysctls(SYSCTLS_32)],
    ],
  },
  { id: 'windowsHostProcess', versions: [[0, hostProcess]] },
]
