// Starts the controllers of Services and their endpoints, each under upstream's service account for it. What repairs
// addresses is the API server's own there.
import { hostname } from 'node:os'
import { EventsV1Recorder } from '../client/events/events-v1-recorder.ts'
import { runEndpointSliceController } from '../controllers/endpoint-slice/endpoint-slice-controller.ts'
import { EndpointSliceMirroringController } from '../controllers/endpoint-slice-mirroring/endpoint-slice-mirroring-controller.ts'
import { EndpointsController } from '../controllers/endpoints/endpoints-controller.ts'
import { IpAddressRepairController } from '../controllers/ip-address-repair/ip-address-repair-controller.ts'
import { ServiceBalancerController } from '../controllers/service-balancer/service-balancer-controller.ts'
import { ServiceCidrsController } from '../controllers/service-cidrs/service-cidrs-controller.ts'
import type { RunningApiServer } from './api-server.ts'
import { type ClusterParts, keepRunning } from './parts.ts'

export function startServiceControllers(api: RunningApiServer, parts: ClusterParts): void {
  const { clock, log } = parts
  const contextOf = (account: string) => ({ client: api.controllerClient(account), clock, log })
  keepRunning(parts, signal => runEndpointSliceController(contextOf('endpointslice-controller'), signal))
  const controllers = [
    new EndpointsController(contextOf('endpoint-controller')),
    new EndpointSliceMirroringController(contextOf('endpointslicemirroring-controller')),
    new ServiceBalancerController(contextOf('service-controller')),
    new ServiceCidrsController(contextOf('service-cidrs-controller')),
  ]
  for (const controller of controllers) keepRunning(parts, signal => controller.run(signal))
  startAddressRepair(api, parts)
}

function startAddressRepair(api: RunningApiServer, parts: ClusterParts): void {
  const { clock, log } = parts
  const client = api.clientOf({ name: 'system:apiserver', groups: ['system:masters'] }, 'kube-apiserver')
  const reportingController = 'ipallocator-repair-controller'
  const recorder = new EventsV1Recorder({ client, reportingController, hostname: hostname(), clock, log })
  keepRunning(parts, signal => recorder.run(signal))
  const controller = new IpAddressRepairController({ client, clock, log, recorder })
  keepRunning(parts, signal => controller.run(signal))
}
