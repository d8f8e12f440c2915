// How device plugins make themselves known: at the kubelet's own socket, or as other plugins do, with a socket of theirs
// below plugins_registry. Upstream: devicemanager/plugin/v1beta1.
import { lstatSync, mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { isExtended } from '../../api/validation/resource-names.ts'
import { type GrpcServer, serveGrpc } from '../../base/grpc/serve-grpc.ts'
import type { PluginHandler, PluginInfo } from '../plugins/plugin-handler.ts'
import { DevicePlugin } from './device-plugin.ts'
import {
  DEVICE_PLUGIN_VERSION,
  deviceRegistrationService,
  type RegisterRequest,
} from './device-plugin-api.ts'
import type { NodeDevices } from './node-devices.ts'

export const KUBELET_SOCKET = 'kubelet.sock'

/** Plugins see that the kubelet is another one by its socket, which is new: they register again. */
export async function serveDeviceRegistration(folder: string, devices: NodeDevices): Promise<GrpcServer> {
  mkdirSync(folder, { recursive: true, mode: 0o755 })
  removeSockets(folder)
  const handlers = {
    Register: async (request: RegisterRequest) => {
      checkVersion(request.version)
      checkName(request.resourceName)
      await begin(request.resourceName, join(folder, request.endpoint), devices)
      return {}
    },
  }
  return serveGrpc(join(folder, KUBELET_SOCKET), [{ service: deviceRegistrationService, handlers }])
}

/** For plugins of type DevicePlugin. */
export const devicePluginHandler = (devices: NodeDevices): PluginHandler => ({
  validate({ name, supportedVersions }: PluginInfo) {
    if (!supportedVersions.includes(DEVICE_PLUGIN_VERSION)) {
      const versions = `[${supportedVersions.join(' ')}]`
      const what = `is not among plugin supported versions ${versions}`
      throw new Error(`manager version, ${DEVICE_PLUGIN_VERSION}, ${what}`)
    }
    if (!isExtended(name)) throw new Error(`invalid name of device plugin socket: ${invalidName(name)}`)
  },
  register: ({ name, endpoint }) => begin(name, endpoint, devices),
  deregister: name => devices.withdraw(name),
})

async function begin(resource: string, socket: string, devices: NodeDevices): Promise<void> {
  const plugin = await DevicePlugin.connect(socket)
  void devices.offered(resource, plugin)
}

function checkVersion(version: string): void {
  if (version === DEVICE_PLUGIN_VERSION) return
  const supported = `Supported version is ["${DEVICE_PLUGIN_VERSION}"]`
  throw new Error(`requested API version "${version}" is not supported by kubelet. ${supported}`)
}

function checkName(name: string): void {
  if (!isExtended(name)) throw new Error(invalidName(name))
}

const invalidName = (name: string) => `the ResourceName "${name}" is invalid`

/** Of plugins that knew an earlier kubelet, and of that kubelet. Upstream: CleanupPluginDirectory. */
function removeSockets(folder: string): void {
  for (const name of readdirSync(folder)) {
    const path = join(folder, name)
    if (lstatSync(path).isSocket()) rmSync(path, { force: true })
  }
}
