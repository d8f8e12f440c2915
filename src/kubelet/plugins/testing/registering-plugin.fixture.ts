// A plugin as its author would write it: it serves a registration socket and hears what the kubelet says of it.
import { join } from 'node:path'
import { AsyncQueue } from '../../../base/async-queue.ts'
import type { GrpcService } from '../../../base/grpc/grpc-service.ts'
import { type GrpcHandlers, type GrpcServer, serveGrpc } from '../../../base/grpc/serve-grpc.ts'
import { pluginsRegistry } from '../kubelet-folder.ts'
import { type AnsweredInfo, registrationService } from '../registration-api.ts'

export interface Heard {
  pluginRegistered: boolean
  error: string
}

export class RegisteringPlugin {
  /** What the kubelet has said, one after the other. */
  readonly heard = new AsyncQueue<Heard>()
  readonly socket: string
  readonly #info: AnsweredInfo
  readonly #more: readonly { service: GrpcService; handlers: GrpcHandlers }[]
  #server: GrpcServer | undefined

  /** `more`: what it serves at the same socket. */
  constructor(
    rootDir: string,
    info: Partial<AnsweredInfo> & Pick<AnsweredInfo, 'type' | 'name'>,
    more: readonly { service: GrpcService; handlers: GrpcHandlers }[] = [],
  ) {
    this.socket = join(pluginsRegistry(rootDir), `${info.name}-reg.sock`)
    this.#info = { endpoint: '', supportedVersions: ['1.0.0'], ...info }
    this.#more = more
  }

  async start(): Promise<void> {
    const handlers = {
      GetInfo: async () => this.#info,
      NotifyRegistrationStatus: async (said: Heard) => {
        this.heard.push(said)
        return {}
      },
    }
    this.#server = await serveGrpc(this.socket, [{ service: registrationService, handlers }, ...this.#more])
  }

  stop(): void {
    this.#server?.close()
    this.#server = undefined
  }
}
