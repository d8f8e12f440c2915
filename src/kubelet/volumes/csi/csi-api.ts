// The Container Storage Interface, version 1, as far as a node needs it: messages and services.
// Facts of csi.proto; absent scalars mean their zero value.
import { grpcService } from '../../../base/grpc/grpc-service.ts'
import { codecFromTable } from '../../../base/protobuf/message-table.ts'

const MESSAGES = {
  Empty: '',
  PluginInfo: 'name=1:string vendorVersion=2:string manifest=3:{string}string',
  BoolValue: 'value=1:bool',
  Probed: 'ready=1:BoolValue',
  Topology: 'segments=1:{string}string',
  NodeInfo: 'nodeId=1:string maxVolumesPerNode=2:int64 accessibleTopology=3:Topology',
  Rpc: 'type=1:enum.NodeRpc',
  NodeCapability: 'rpc=1:Rpc',
  NodeCapabilities: 'capabilities=1:[]NodeCapability',
  MountVolume: 'fsType=1:string mountFlags=2:[]string volumeMountGroup=3:string',
  AccessMode: 'mode=1:enum.AccessMode',
  VolumeCapability: 'block=1:Empty mount=2:MountVolume accessMode=3:AccessMode',
  StageVolume:
    'volumeId=1:string publishContext=2:{string}string stagingTargetPath=3:string volumeCapability=4:VolumeCapability secrets=5:{string}string volumeContext=6:{string}string',
  UnstageVolume: 'volumeId=1:string stagingTargetPath=2:string',
  PublishVolume:
    'volumeId=1:string publishContext=2:{string}string stagingTargetPath=3:string targetPath=4:string volumeCapability=5:VolumeCapability readonly=6:bool secrets=7:{string}string volumeContext=8:{string}string',
  UnpublishVolume: 'volumeId=1:string targetPath=2:string',
  GetVolumeStats: 'volumeId=1:string volumePath=2:string stagingTargetPath=3:string',
  VolumeUsage: 'available=1:int64 total=2:int64 used=3:int64 unit=4:enum.UsageUnit',
  VolumeStats: 'usage=1:[]VolumeUsage',
  CapacityRange: 'requiredBytes=1:int64 limitBytes=2:int64',
  ExpandVolume:
    'volumeId=1:string volumePath=2:string capacityRange=3:CapacityRange stagingTargetPath=4:string volumeCapability=5:VolumeCapability secrets=6:{string}string',
  ExpandedVolume: 'capacityBytes=1:int64',
}

const NODE_RPC = {
  UNKNOWN: 0,
  STAGE_UNSTAGE_VOLUME: 1,
  GET_VOLUME_STATS: 2,
  EXPAND_VOLUME: 3,
  VOLUME_CONDITION: 4,
  SINGLE_NODE_MULTI_WRITER: 5,
  VOLUME_MOUNT_GROUP: 6,
}

const ACCESS_MODE = {
  UNKNOWN: 0,
  SINGLE_NODE_WRITER: 1,
  SINGLE_NODE_READER_ONLY: 2,
  MULTI_NODE_READER_ONLY: 3,
  MULTI_NODE_SINGLE_WRITER: 4,
  MULTI_NODE_MULTI_WRITER: 5,
  SINGLE_NODE_SINGLE_WRITER: 6,
  SINGLE_NODE_MULTI_WRITER: 7,
}

const codec = codecFromTable(MESSAGES, {
  NodeRpc: NODE_RPC,
  AccessMode: ACCESS_MODE,
  UsageUnit: { UNKNOWN: 0, BYTES: 1, INODES: 2 },
})

export const identityService = grpcService(
  'csi.v1.Identity',
  { GetPluginInfo: 'Empty PluginInfo', Probe: 'Empty Probed' },
  codec,
)

export const nodeService = grpcService(
  'csi.v1.Node',
  {
    NodeGetInfo: 'Empty NodeInfo',
    NodeGetCapabilities: 'Empty NodeCapabilities',
    NodeStageVolume: 'StageVolume Empty',
    NodeUnstageVolume: 'UnstageVolume Empty',
    NodePublishVolume: 'PublishVolume Empty',
    NodeUnpublishVolume: 'UnpublishVolume Empty',
    NodeGetVolumeStats: 'GetVolumeStats VolumeStats',
    NodeExpandVolume: 'ExpandVolume ExpandedVolume',
  },
  codec,
)

export type NodeRpc = keyof typeof NODE_RPC
export type AccessMode = keyof typeof ACCESS_MODE
export type Texts = Readonly<Record<string, string>>

export interface CsiNodeInfo {
  nodeId: string
  /** 0: the driver says nothing. */
  maxVolumesPerNode: number
  accessibleTopology?: { segments: Texts }
}

export interface VolumeCapability {
  block?: object
  mount?: { fsType: string; mountFlags: readonly string[]; volumeMountGroup: string }
  accessMode: { mode: AccessMode }
}

export interface StageVolume {
  volumeId: string
  publishContext: Texts
  stagingTargetPath: string
  volumeCapability: VolumeCapability
  secrets: Texts
  volumeContext: Texts
}

/** `stagingTargetPath` is left out for drivers that do not stage. */
export type PublishVolume = Omit<StageVolume, 'stagingTargetPath'> & {
  stagingTargetPath?: string
  targetPath: string
  readonly: boolean
}

export interface ExpandVolume {
  volumeId: string
  volumePath: string
  capacityRange: { requiredBytes: number }
  stagingTargetPath?: string
  volumeCapability: VolumeCapability
  secrets: Texts
}

export interface VolumeUsage {
  available: number
  total: number
  used: number
  unit: 'UNKNOWN' | 'BYTES' | 'INODES'
}
