// Which subresources are answered by what stands behind them, and by whom: with an upgrade and without one.
import { nodes, pods, type ResourceInfo, services } from '../../api/resources.ts'
import type { Admission } from '../admission/admission.ts'
import type { ConnectHandler } from '../http/connect.ts'
import { plainPortForward } from '../streaming/port-forward.ts'
import { plainRemoteCommand, type UpgradeHandler } from '../streaming/remote-command.ts'
import { streamingHandlers } from '../streaming/upgrade-handlers.ts'
import { admitted } from './admit-connection.ts'
import { type ProxyParts, proxyHandler, proxyUpgradeHandler } from './proxy-handler.ts'

export interface ConnectHandlers {
  /** By 'pods/exec'. */
  onConnect: ReadonlyMap<string, ConnectHandler>
  onUpgrade: ReadonlyMap<string, UpgradeHandler>
}

export function connectHandlers(parts: ProxyParts & { admission: Admission }): ConnectHandlers {
  const onConnect = new Map<string, ConnectHandler>()
  const onUpgrade = new Map<string, UpgradeHandler>()
  const add = (owner: ResourceInfo, name: string, plain: ConnectHandler, upgrade: UpgradeHandler) => {
    const key = `${owner.resource}/${name}`
    onConnect.set(key, admitted(parts.admission, owner, name, plain))
    onUpgrade.set(key, admitted(parts.admission, owner, name, upgrade))
  }
  const { exec, attach, portForward } = streamingHandlers(parts)
  add(pods, 'exec', plainRemoteCommand(parts), exec)
  add(pods, 'attach', plainRemoteCommand(parts), attach)
  add(pods, 'portforward', plainPortForward(parts), portForward)
  for (const owner of [pods, services, nodes])
    add(owner, 'proxy', proxyHandler(parts), proxyUpgradeHandler(parts))
  return { onConnect, onUpgrade }
}
