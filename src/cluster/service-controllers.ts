// Starts the controllers of Services and their endpoints, each under upstream's service account for it.
import { runEndpointSliceController } from '../controllers/endpoint-slice/endpoint-slice-controller.ts'
import { EndpointSliceMirroringController } from '../controllers/endpoint-slice-mirroring/endpoint-slice-mirroring-controller.ts'
import { EndpointsController } from '../controllers/endpoints/endpoints-controller.ts'
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
}
