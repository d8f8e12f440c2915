// One instance of a driver on this node.
import { GrpcClient } from '../../base/grpc/grpc-client.ts'
import { rpcErrorText } from '../../base/grpc/grpc-error.ts'
import { DRA_SERVICES, type DraClaim, type PreparedClaims, type UnpreparedClaims } from './dra-api.ts'

const CALL_MS = 45_000

export class DraDriver {
  readonly endpoint: string
  readonly #client: GrpcClient

  /** `service` is a key of DRA_SERVICES. */
  constructor(endpoint: string, service: string) {
    this.endpoint = endpoint
    this.#client = new GrpcClient(endpoint, DRA_SERVICES[service]!)
  }

  /** Rejects with the text that the pod shows. */
  prepare(claims: readonly DraClaim[]): Promise<PreparedClaims> {
    return this.#call('NodePrepareResources', claims)
  }

  unprepare(claims: readonly DraClaim[]): Promise<UnpreparedClaims> {
    return this.#call('NodeUnprepareResources', claims)
  }

  close(): void {
    this.#client.close()
  }

  /** Every claim has an answer, and none of them tells an error. */
  async #call<T extends Record<string, { error: string }>>(
    method: string,
    claims: readonly DraClaim[],
  ): Promise<T> {
    const { claims: answered } = await this.#client
      .call<{ claims: T }>(method, { claims }, { timeoutMs: CALL_MS })
      .catch(error => {
        throw new Error(`${method}: ${rpcErrorText(error)}`)
      })
    for (const [uid, { error }] of Object.entries(answered)) {
      const claim = claims.find(one => one.uid === uid)
      if (!claim) throw new Error(`${method} returned result for unknown claim UID ${uid}`)
      if (error) throw new Error(`${method} failed for ResourceClaim ${claim.name}: ${error}`)
    }
    const skipped = claims.length - Object.keys(answered).length
    if (skipped !== 0) throw new Error(`${method} skipped ${skipped} ResourceClaims`)
    return answered
  }
}
