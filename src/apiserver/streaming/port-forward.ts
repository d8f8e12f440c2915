// pods/portforward: pairs of a data and an error stream, over SPDY, over SPDY inside a WebSocket, or as channels of a
// WebSocket. Upstream: the portforward package of the kubelet's streaming server, and the API server's tunnelling.
import type { Duplex } from 'node:stream'
import { createWebSocketStream } from 'ws'
import type { ConnectHandler } from '../http/connect.ts'
import {
  nodeOf,
  orAnswerPlainly,
  plainRefusal,
  podOf,
  referenceTo,
  requireCreate,
  type StreamingParts,
  upgradeRequired,
} from './pod-streaming.ts'
import { forwardChannels, parsePorts } from './port-forward-channels.ts'
import type { ForwardSession } from './port-forward-session.ts'
import { forwardStreams } from './port-forward-streams.ts'
import type { UpgradeHandler } from './remote-command.ts'
import { acceptSpdy, chooseStreamProtocol } from './spdy.ts'
import { type UpgradeRequest, upgradeKind } from './upgrade.ts'
import { acceptWebSocket, chooseSubprotocol } from './websocket.ts'

const PROTOCOL = 'portforward.k8s.io'
const TUNNEL = `SPDY/3.1+${PROTOCOL}`
const CHANNELS = ['', 'v4.channel.k8s.io', 'v4.base64.channel.k8s.io']

/** What one forwarding session works with. */
export function portForwardHandler(parts: StreamingParts): UpgradeHandler {
  return async upgrade => {
    const kind = upgradeKind(upgrade.request)
    if (kind === 'websocket') await requireCreate(parts, upgrade)
    const pod = await podOf(parts, upgrade)
    const node = nodeOf(pod)
    if (!kind) throw upgradeRequired()
    const reference = referenceTo(pod)
    await orAnswerPlainly(upgrade, async () => {
      const forward = await parts.nodeAccess.portForward(node, reference).catch(error => {
        throw plainRefusal(error)
      })
      const session = { pod: reference, forward, parts, signal: upgrade.signal }
      return kind === 'spdy' ? overSpdy(session, upgrade) : overWebSocket(session, upgrade)
    })
  }
}

export function plainPortForward(parts: StreamingParts): ConnectHandler {
  return async connect => {
    nodeOf(await podOf(parts, connect))
    throw upgradeRequired()
  }
}

async function overSpdy(session: ForwardSession, { request, socket, head }: UpgradeRequest): Promise<void> {
  const protocol = chooseStreamProtocol(request, [PROTOCOL])
  await forwardStreams(acceptSpdy(socket, head, protocol), session)
}

async function overWebSocket(session: ForwardSession, upgrade: UpgradeRequest): Promise<void> {
  const { request, socket, head, query } = upgrade
  const protocol = chooseSubprotocol(request, [TUNNEL, ...CHANNELS])
  const ports = protocol === TUNNEL ? [] : parsePorts(query)
  const webSocket = acceptWebSocket(request, socket, head, protocol)
  if (!webSocket) return
  if (protocol === TUNNEL) {
    const bytes: Duplex = createWebSocketStream(webSocket)
    await forwardStreams(bytes, session)
  } else {
    await forwardChannels(webSocket, protocol.includes('base64.'), ports, session)
  }
}
