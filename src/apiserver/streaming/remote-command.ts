// pods/exec and pods/attach. Upstream: the pod registry's ExecREST and AttachREST, the stream translator of the API
// server (v5), the kubelet's streaming server (the other protocols).

import type { AttachOptions, RemoteSession, RemoteStatus } from '../../api/node-access.ts'
import { internalError, StatusError } from '../../api/status-error.ts'
import type { Pod } from '../../api/types/core-v1.ts'
import type { ConnectHandler } from '../http/connect.ts'
import { chooseContainer } from '../registry/subresources/pod-log.ts'
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
import { parseAttachOptions, parseExecOptions, requireAnyStream } from './remote-command-options.ts'
import type { RemoteCommandPeer } from './remote-command-peer.ts'
import { acceptSpdy, chooseStreamProtocol } from './spdy.ts'
import { openSpdyPeer, remoteCommandProtocols } from './spdy-peer.ts'
import { PlainRefusal, type UpgradeRequest, upgradeKind } from './upgrade.ts'
import { acceptWebSocket, chooseSubprotocol } from './websocket.ts'
import { remoteCommandSubprotocols, V5, WebSocketPeer } from './websocket-peer.ts'

export type UpgradeHandler = (upgrade: UpgradeRequest) => Promise<void>

export function execHandler(parts: StreamingParts): UpgradeHandler {
  return upgrade =>
    serve(parts, upgrade, pod => {
      const options = parseExecOptions(upgrade.query)
      options.container = chooseContainer(pod, options.container)
      const node = nodeOf(pod)
      return { options, open: () => parts.nodeAccess.exec(node, referenceTo(pod), options) }
    })
}

export function attachHandler(parts: StreamingParts): UpgradeHandler {
  return upgrade =>
    serve(parts, upgrade, pod => {
      const options = parseAttachOptions(upgrade.query)
      options.container = chooseContainer(pod, options.container)
      const node = nodeOf(pod)
      return { options, open: () => parts.nodeAccess.attach(node, referenceTo(pod), options) }
    })
}

/** Requests that ask for no upgrade are told what else is wrong with them first. */
export function plainRemoteCommand(parts: StreamingParts): ConnectHandler {
  return async connect => {
    const pod = await podOf(parts, connect)
    chooseContainer(pod, connect.query.get('container') ?? '')
    nodeOf(pod)
    throw upgradeRequired()
  }
}

interface Command {
  options: AttachOptions
  /** Asks the node. */
  open(): Promise<RemoteSession>
}

async function serve(
  parts: StreamingParts,
  upgrade: UpgradeRequest,
  commandFor: (pod: Pod) => Command,
): Promise<void> {
  const kind = upgradeKind(upgrade.request)
  if (kind === 'websocket') await requireCreate(parts, upgrade)
  const command = commandFor(await podOf(parts, upgrade))
  if (!kind) throw upgradeRequired()
  await orAnswerPlainly(upgrade, () =>
    kind === 'spdy' ? overSpdy(parts, upgrade, command) : overWebSocket(parts, upgrade, command),
  )
}

async function overSpdy(
  { clock, log }: StreamingParts,
  upgrade: UpgradeRequest,
  command: Command,
): Promise<void> {
  const { request, socket, head } = upgrade
  requireAnyStream(command.options)
  const session = await command.open().catch(error => {
    throw plainRefusal(error)
  })
  const protocol = chooseStreamProtocol(request, remoteCommandProtocols)
  const connection = acceptSpdy(socket, head, protocol)
  const peer = await openSpdyPeer(connection, protocol, command.options, clock).catch(error => {
    log.debug({ err: error }, 'a client did not open its streams')
  })
  if (peer) await run(session, peer, upgrade.signal)
}

async function overWebSocket(_: StreamingParts, upgrade: UpgradeRequest, command: Command): Promise<void> {
  const { request, socket, head } = upgrade
  const protocol = chooseSubprotocol(request, remoteCommandSubprotocols)
  // The newest protocol is accepted first and told about failures afterwards; the others are refused.
  const session =
    protocol === V5
      ? lateSession(command)
      : await openNow(command).catch(error => {
          throw plainRefusal(error)
        })
  const webSocket = acceptWebSocket(request, socket, head, protocol)
  if (webSocket) await run(session, new WebSocketPeer(webSocket, protocol, command.options), upgrade.signal)
}

async function openNow(command: Command): Promise<RemoteSession> {
  requireAnyStream(command.options)
  return command.open()
}

function lateSession(command: Command): RemoteSession {
  return async (streams, signal) => {
    let session: RemoteSession
    try {
      session = await openNow(command)
    } catch (error) {
      throw internalError(`unable to upgrade connection: ${plainRefusal(error).message}`)
    }
    return session(streams, signal)
  }
}

async function run(session: RemoteSession, peer: RemoteCommandPeer, closing: AbortSignal): Promise<void> {
  const signal = AbortSignal.any([peer.signal, closing])
  const status = await session(peer.streams, signal).catch(asStatus)
  await peer.finish(status)
}

function asStatus(error: unknown): RemoteStatus {
  if (error instanceof StatusError) return error.status
  if (error instanceof PlainRefusal) return internalError(error.message).status
  return internalError(error).status
}
