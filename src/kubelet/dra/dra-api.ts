// The calls of a DRA driver on the node. Both versions say the same on the wire.
// Upstream: kubelet/pkg/apis/dra/v1 and v1beta1.
import { type GrpcService, grpcService } from '../../base/grpc/grpc-service.ts'
import { codecFromTable } from '../../base/protobuf/message-table.ts'

const codec = codecFromTable({
  ClaimsRequest: 'claims=1:[]Claim',
  Claim: 'namespace=1:string uid=2:string name=3:string',
  PrepareResponse: 'claims=1:{string}PreparedClaim',
  PreparedClaim: 'devices=1:[]Device error=2:string',
  Device:
    'requestNames=1:[]string poolName=2:string deviceName=3:string cdiDeviceIds=4:[]string shareId=5:string',
  UnprepareResponse: 'claims=1:{string}UnpreparedClaim',
  UnpreparedClaim: 'error=1:string',
})

const serviceOf = (version: string): GrpcService =>
  grpcService(
    `k8s.io.kubelet.pkg.apis.dra.${version}.DRAPlugin`,
    {
      NodePrepareResources: 'ClaimsRequest PrepareResponse',
      NodeUnprepareResources: 'ClaimsRequest UnprepareResponse',
    },
    codec,
  )

/** By the name that drivers register them with; the newest first. */
export const DRA_SERVICES: Readonly<Record<string, GrpcService>> = {
  'v1.DRAPlugin': serviceOf('v1'),
  'v1beta1.DRAPlugin': serviceOf('v1beta1'),
}

export interface DraClaim {
  namespace: string
  uid: string
  name: string
}

/** A device that a driver has made ready. */
export interface PreparedDevice {
  /** None: it is for every request of the claim. */
  requestNames: string[]
  poolName: string
  deviceName: string
  cdiDeviceIds: string[]
}

/** By the claim's uid. */
export type PreparedClaims = Record<string, { devices: PreparedDevice[]; error: string }>
export type UnpreparedClaims = Record<string, { error: string }>
