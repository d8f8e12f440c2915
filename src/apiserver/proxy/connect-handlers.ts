// Which subresources are answered by what stands behind them, and by whom: with an upgrade and without one.
import type { ConnectHandler } from '../http/connect.ts'
import { plainPortForward } from '../streaming/port-forward.ts'
import { plainRemoteCommand, type UpgradeHandler } from '../streaming/remote-command.ts'
import { streamingHandlers } from '../streaming/upgrade-handlers.ts'
import { type ProxyParts, proxyHandler, proxyUpgradeHandler } from './proxy-handler.ts'

export interface ConnectHandlers {
  /** By 'pods/exec'. */
  onConnect: ReadonlyMap<string, ConnectHandler>
  onUpgrade: ReadonlyMap<string, UpgradeHandler>
}

const PROXIED = ['pods/proxy', 'services/proxy', 'nodes/proxy']

export function connectHandlers(parts: ProxyParts): ConnectHandlers {
  const { exec, attach, portForward } = streamingHandlers(parts)
  const [proxy, proxyUpgrade] = [proxyHandler(parts), proxyUpgradeHandler(parts)]
  return {
    onConnect: new Map<string, ConnectHandler>([
      ['pods/exec', plainRemoteCommand(parts)],
      ['pods/attach', plainRemoteCommand(parts)],
      ['pods/portforward', plainPortForward(parts)],
      ...PROXIED.map(name => [name, proxy] as const),
    ]),
    onUpgrade: new Map<string, UpgradeHandler>([
      ['pods/exec', exec],
      ['pods/attach', attach],
      ['pods/portforward', portForward],
      ...PROXIED.map(name => [name, proxyUpgrade] as const),
    ]),
  }
}
