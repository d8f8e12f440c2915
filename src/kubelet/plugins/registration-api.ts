// The calls by which a plugin makes itself known. Upstream: kubelet/pkg/apis/pluginregistration/v1.
import { grpcService } from '../../base/grpc/grpc-service.ts'
import { codecFromTable } from '../../base/protobuf/message-table.ts'

const codec = codecFromTable({
  InfoRequest: '',
  PluginInfo: 'type=1:string name=2:string endpoint=3:string supportedVersions=4:[]string',
  RegistrationStatus: 'pluginRegistered=1:bool error=2:string',
  RegistrationStatusResponse: '',
})

/** Served by the plugin, at its socket below plugins_registry. */
export const registrationService = grpcService(
  'pluginregistration.Registration',
  {
    GetInfo: 'InfoRequest PluginInfo',
    NotifyRegistrationStatus: 'RegistrationStatus RegistrationStatusResponse',
  },
  codec,
)

export interface AnsweredInfo {
  type: string
  name: string
  endpoint: string
  supportedVersions: string[]
}
