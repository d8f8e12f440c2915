// How fields of a Pod template are called in Go, where that is not the JSON name with a capital first letter.
// From the struct tags of k8s.io/api v0.36. '~' stands for fields of every type.

const EXCEPTIONS: Record<string, Record<string, string>> = {
  '~': {
    uid: 'UID',
    apiVersion: 'APIVersion',
    apiGroup: 'APIGroup',
    metadata: 'ObjectMeta',
    fsType: 'FSType',
    httpGet: 'HTTPGet',
    tcpSocket: 'TCPSocket',
    grpc: 'GRPC',
    httpHeaders: 'HTTPHeaders',
    tty: 'TTY',
    seLinuxOptions: 'SELinuxOptions',
  },
  'core/v1.VolumeSource': {
    gcePersistentDisk: 'GCEPersistentDisk',
    awsElasticBlockStore: 'AWSElasticBlockStore',
    nfs: 'NFS',
    iscsi: 'ISCSI',
    rbd: 'RBD',
    cephfs: 'CephFS',
    fc: 'FC',
    storageos: 'StorageOS',
    csi: 'CSI',
  },
  'core/v1.GCEPersistentDiskVolumeSource': { pdName: 'PDName' },
  'core/v1.ISCSIVolumeSource': {
    iqn: 'IQN',
    iscsiInterface: 'ISCSIInterface',
    chapAuthDiscovery: 'DiscoveryCHAPAuth',
    chapAuthSession: 'SessionCHAPAuth',
  },
  'core/v1.GlusterfsVolumeSource': { endpoints: 'EndpointsName' },
  'core/v1.RBDVolumeSource': {
    monitors: 'CephMonitors',
    image: 'RBDImage',
    pool: 'RBDPool',
    user: 'RadosUser',
  },
  'core/v1.FCVolumeSource': { wwids: 'WWIDs' },
  'core/v1.AzureDiskVolumeSource': { diskURI: 'DataDiskURI' },
  'core/v1.ScaleIOVolumeSource': { sslEnabled: 'SSLEnabled' },
  'core/v1.WindowsSecurityContextOptions': {
    gmsaCredentialSpecName: 'GMSACredentialSpecName',
    gmsaCredentialSpec: 'GMSACredentialSpec',
  },
  'core/v1.PodSecurityContext': {
    fsGroup: 'FSGroup',
    fsGroupChangePolicy: 'FSGroupChangePolicy',
    seLinuxChangePolicy: 'SELinuxChangePolicy',
  },
  'core/v1.HostAlias': { ip: 'IP' },
  'core/v1.PodSpec': {
    dnsPolicy: 'DNSPolicy',
    dnsConfig: 'DNSConfig',
    os: 'OS',
    serviceAccount: 'DeprecatedServiceAccount',
  },
}

/** `type` as type facts name it: 'core/v1.PodSpec'. */
export function goFieldName(type: string, field: string): string {
  return EXCEPTIONS[type]?.[field] ?? EXCEPTIONS['~']![field] ?? field[0]!.toUpperCase() + field.slice(1)
}
