// Objects as upstream's internal Go types would be written in JSON: Go's field names, every field there, in Go's order.
// Error messages show such text where upstream prints an internal struct or the difference of two.
import { typeOf, type ValueType } from '../schema/type-facts.ts'

type Json = Record<string, unknown>

/** JSON names whose Go names are not just capitalised. */
const GO_NAMES: Record<string, string> = {
  apiGroup: 'APIGroup',
  apiVersion: 'APIVersion',
  awsElasticBlockStore: 'AWSElasticBlockStore',
  cephfs: 'CephFS',
  chapAuthDiscovery: 'DiscoveryCHAPAuth',
  chapAuthSession: 'SessionCHAPAuth',
  csi: 'CSI',
  diskURI: 'DataDiskURI',
  dnsConfig: 'DNSConfig',
  dnsPolicy: 'DNSPolicy',
  endpoints: 'EndpointsName',
  externalID: 'DoNotUseExternalID',
  fc: 'FC',
  fsGroup: 'FSGroup',
  fsGroupChangePolicy: 'FSGroupChangePolicy',
  fsType: 'FSType',
  gcePersistentDisk: 'GCEPersistentDisk',
  gid: 'GID',
  gmsaCredentialSpec: 'GMSACredentialSpec',
  gmsaCredentialSpecName: 'GMSACredentialSpecName',
  grpc: 'GRPC',
  httpGet: 'HTTPGet',
  httpHeaders: 'HTTPHeaders',
  ip: 'IP',
  ipFamilies: 'IPFamilies',
  ipFamilyPolicy: 'IPFamilyPolicy',
  ipMode: 'IPMode',
  iqn: 'IQN',
  iscsi: 'ISCSI',
  iscsiInterface: 'ISCSIInterface',
  nfs: 'NFS',
  os: 'OS',
  pdName: 'PDName',
  rbd: 'RBD',
  seLinuxChangePolicy: 'SELinuxChangePolicy',
  seLinuxOptions: 'SELinuxOptions',
  sslEnabled: 'SSLEnabled',
  storageos: 'StorageOS',
  tcpSocket: 'TCPSocket',
  tty: 'TTY',
  uid: 'UID',
  wwids: 'WWIDs',
}

const RBD_NAMES: Record<string, string> = {
  monitors: 'CephMonitors',
  image: 'RBDImage',
  pool: 'RBDPool',
  user: 'RadosUser',
}

/** The internal PodSpec keeps these in its security context. */
const HOST_FIELDS = ['hostNetwork', 'hostPID', 'hostIPC', 'shareProcessNamespace', 'hostUsers'] as const

const POD_SPEC_ORDER =
  'Volumes InitContainers Containers EphemeralContainers RestartPolicy TerminationGracePeriodSeconds ActiveDeadlineSeconds DNSPolicy NodeSelector ServiceAccountName AutomountServiceAccountToken NodeName SecurityContext ImagePullSecrets Hostname Subdomain SetHostnameAsFQDN Affinity SchedulerName Tolerations HostAliases PriorityClassName Priority PreemptionPolicy DNSConfig ReadinessGates RuntimeClassName Overhead EnableServiceLinks TopologySpreadConstraints OS SchedulingGates ResourceClaims Resources HostnameOverride SchedulingGroup'.split(
    ' ',
  )

/** `type` as in type-facts: 'core/v1.Toleration'. Types of meta/v1 keep their JSON names, as they do in Go. */
export function internalForm(type: string, value: Json): unknown {
  if (type.startsWith('meta/v1.')) return value
  const facts = typeOf(type)
  const names = type.includes('.RBD') ? { ...GO_NAMES, ...RBD_NAMES } : GO_NAMES
  const form: Json = {}
  for (const field of facts.fields) {
    if (field.extra && value[field.name] === undefined) continue
    const goName = names[field.name] ?? field.name.charAt(0).toUpperCase() + field.name.slice(1)
    form[goName] = valueForm(field.type, value[field.name])
  }
  return type === 'core/v1.PodSpec' ? internalPodSpec(form, value) : form
}

function internalPodSpec(form: Json, spec: Json): Json {
  const context = (form.SecurityContext ?? internalForm('core/v1.PodSecurityContext', {})) as Json
  const [hostNetwork, hostPID, hostIPC, shareProcessNamespace, hostUsers] = HOST_FIELDS.map(
    name => spec[name],
  )
  form.SecurityContext = {
    HostNetwork: hostNetwork ?? false,
    HostPID: hostPID ?? false,
    HostIPC: hostIPC ?? false,
    ShareProcessNamespace: shareProcessNamespace ?? null,
    HostUsers: hostUsers ?? null,
    ...inOrder(context, POD_SECURITY_ORDER),
  }
  return inOrder(form, POD_SPEC_ORDER)
}

const POD_SECURITY_ORDER =
  'SELinuxOptions WindowsOptions RunAsUser RunAsGroup RunAsNonRoot SupplementalGroups SupplementalGroupsPolicy FSGroup FSGroupChangePolicy Sysctls SeccompProfile AppArmorProfile SELinuxChangePolicy'.split(
    ' ',
  )

const inOrder = (form: Json, order: readonly string[]): Json =>
  Object.fromEntries(order.map(name => [name, form[name] ?? null]))

function valueForm(type: ValueType, value: unknown): unknown {
  if (value === undefined || value === null) return zeroOf(type)
  switch (type.is) {
    case 'struct':
      return internalForm(type.type, value as Json)
    case 'list':
      return (value as unknown[]).map(item => valueForm(type.of, item))
    case 'map':
      return Object.fromEntries(
        Object.entries(value as Json)
          .sort(([a], [b]) => (a < b ? -1 : 1))
          .map(([key, item]) => [key, valueForm(type.of, item)]),
      )
    default:
      return value
  }
}

function zeroOf(type: ValueType): unknown {
  if (type.pointer) return null
  switch (type.is) {
    case 'struct':
      return internalForm(type.type, {})
    case 'scalar':
      return type.scalar === 'string'
        ? ''
        : type.scalar === 'bool'
          ? false
          : type.scalar === 'bytes'
            ? null
            : 0
    case 'special':
      return type.special === 'Quantity' ? '0' : type.special === 'IntOrString' ? 0 : null
    default:
      return null
  }
}

const HTML: Record<string, string> = {
  '<': '\\u003c',
  '>': '\\u003e',
  '&': '\\u0026',
  '\u2028': '\\u2028',
  '\u2029': '\\u2029',
}

/** JSON with the letters escaped that Go's encoder escapes. */
export function goJson(value: unknown, indent?: number): string {
  return JSON.stringify(value, null, indent).replace(/[<>&\u2028\u2029]/g, letter => HTML[letter]!)
}
