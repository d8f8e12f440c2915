// Asks the plugin behind one socket who it is, hands it to the handler of its type, and tells it what came of it.
// Upstream: pluginmanager/operationexecutor GenerateRegisterPluginFunc.
import { GrpcClient } from '../../base/grpc/grpc-client.ts'
import { rpcErrorText } from '../../base/grpc/grpc-error.ts'
import { asNamedLike, onThisMachine } from './kubelet-folder.ts'
import type { PluginHandler, PluginInfo } from './plugin-handler.ts'
import { type AnsweredInfo, registrationService } from './registration-api.ts'

const DIAL_MS = 10_000
const CALL_MS = 1_000

export interface RegisteredPlugin {
  info: PluginInfo
  handler: PluginHandler
}

type Handlers = ReadonlyMap<string, PluginHandler>

/** Rejects with what went wrong, after the plugin was told of it as far as it listens. */
export async function registerPlugin(
  socket: string,
  handlers: Handlers,
  rootDir: string,
  signal: AbortSignal,
): Promise<RegisteredPlugin> {
  const client = new GrpcClient(socket, registrationService)
  const close = () => client.close()
  signal.addEventListener('abort', close, { once: true })
  try {
    await client.connected(DIAL_MS)
    const info = await infoOf(client, socket, rootDir, signal)
    const handler = await handedOver(info, socket, handlers).catch(async error => {
      await notify(client, { pluginRegistered: false, error: error.message }, signal).catch(() => {})
      throw error
    })
    await notify(client, { pluginRegistered: true, error: '' }, signal).catch(error => {
      // It belongs to its handler by now: the caller, who made an end of it, takes it back.
      if (signal.aborted) return
      handler.deregister(info.name, info.endpoint)
      throw error
    })
    return { info, handler }
  } finally {
    signal.removeEventListener('abort', close)
    close()
  }
}

async function infoOf(
  client: GrpcClient,
  socket: string,
  rootDir: string,
  signal: AbortSignal,
): Promise<PluginInfo> {
  const answered = await client.call<AnsweredInfo>('GetInfo', {}, { timeoutMs: CALL_MS, signal })
  const { type, name, endpoint, supportedVersions } = answered
  return {
    type,
    name,
    supportedVersions,
    // Without an endpoint it is this very socket.
    endpoint: endpoint ? onThisMachine(endpoint, rootDir) : socket,
    seenByPlugin: path => asNamedLike(endpoint, path, rootDir),
  }
}

async function handedOver(info: PluginInfo, socket: string, handlers: Handlers): Promise<PluginHandler> {
  const handler = handlers.get(info.type)
  if (!handler) {
    const what = `no handler registered for plugin type: ${info.type} at socket ${socket}`
    throw new Error(`RegisterPlugin error -- ${what}`)
  }
  try {
    handler.validate(info)
  } catch (error) {
    throw refusal('validation', error)
  }
  try {
    await handler.register(info)
  } catch (error) {
    throw refusal('registration', error)
  }
  return handler
}

const refusal = (step: string, error: unknown) =>
  new Error(`RegisterPlugin error -- plugin ${step} failed with err: ${rpcErrorText(error)}`)

const notify = (client: GrpcClient, status: object, signal: AbortSignal) =>
  client.call('NotifyRegistrationStatus', status, { timeoutMs: CALL_MS, signal })
