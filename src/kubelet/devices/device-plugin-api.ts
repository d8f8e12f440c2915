// The calls between kubelet and device plugins. Upstream: kubelet/pkg/apis/deviceplugin/v1beta1.
import { grpcService } from '../../base/grpc/grpc-service.ts'
import { codecFromTable } from '../../base/protobuf/message-table.ts'

export const DEVICE_PLUGIN_VERSION = 'v1beta1'
export const HEALTHY = 'Healthy'

export const devicePluginCodec = codecFromTable({
  Empty: '',
  DevicePluginOptions: 'preStartRequired=1:bool getPreferredAllocationAvailable=2:bool',
  RegisterRequest: 'version=1:string endpoint=2:string resourceName=3:string options=4:DevicePluginOptions',
  ListAndWatchResponse: 'devices=1:[]Device',
  Device: 'id=1:string health=2:string topology=3:TopologyInfo',
  TopologyInfo: 'nodes=1:[]NUMANode',
  NUMANode: 'id=1:int64',
  PreStartContainerRequest: 'deviceIds=1:[]string',
  PreStartContainerResponse: '',
  PreferredAllocationRequest: 'containerRequests=1:[]ContainerPreferredAllocationRequest',
  ContainerPreferredAllocationRequest: 'available=1:[]string mustInclude=2:[]string size=3:int32',
  PreferredAllocationResponse: 'containerResponses=1:[]ContainerPreferredAllocationResponse',
  ContainerPreferredAllocationResponse: 'deviceIds=1:[]string',
  AllocateRequest: 'containerRequests=1:[]ContainerAllocateRequest',
  ContainerAllocateRequest: 'deviceIds=1:[]string',
  AllocateResponse: 'containerResponses=1:[]ContainerAllocateResponse',
  ContainerAllocateResponse:
    'envs=1:{string}string mounts=2:[]Mount devices=3:[]DeviceSpec annotations=4:{string}string cdiDevices=5:[]CDIDevice',
  Mount: 'containerPath=1:string hostPath=2:string readOnly=3:bool',
  DeviceSpec: 'containerPath=1:string hostPath=2:string permissions=3:string',
  CDIDevice: 'name=1:string',
})

/** Served by the kubelet at device-plugins/kubelet.sock. */
export const deviceRegistrationService = grpcService(
  'v1beta1.Registration',
  { Register: 'RegisterRequest Empty' },
  devicePluginCodec,
)

/** Served by each plugin. */
export const devicePluginService = grpcService(
  'v1beta1.DevicePlugin',
  {
    GetDevicePluginOptions: 'Empty DevicePluginOptions',
    ListAndWatch: 'Empty stream:ListAndWatchResponse',
    GetPreferredAllocation: 'PreferredAllocationRequest PreferredAllocationResponse',
    Allocate: 'AllocateRequest AllocateResponse',
    PreStartContainer: 'PreStartContainerRequest PreStartContainerResponse',
  },
  devicePluginCodec,
)

export interface DevicePluginOptions {
  preStartRequired: boolean
  getPreferredAllocationAvailable: boolean
}

export interface RegisterRequest {
  version: string
  /** The name of a socket in the folder of device plugins. */
  endpoint: string
  resourceName: string
}

export interface PluginDevice {
  id: string
  health: string
  topology?: { nodes: { id: number }[] }
}

/** What a container needs for the devices it was given. */
export interface ContainerAllocation {
  envs: Record<string, string>
  mounts: { containerPath: string; hostPath: string; readOnly: boolean }[]
  devices: { containerPath: string; hostPath: string; permissions: string }[]
  annotations: Record<string, string>
  cdiDevices: { name: string }[]
}
