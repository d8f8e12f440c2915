// A DRA driver as its author would write it: one socket for its registration and its work.

import { RegisteringPlugin } from '../../plugins/testing/registering-plugin.fixture.ts'
import { DRA_SERVICES, type DraClaim, type PreparedDevice } from '../dra-api.ts'

export interface DraDriverSettings {
  /** A key of DRA_SERVICES. */
  service?: string
  /** Throws to refuse the claim. */
  prepare?: (claim: DraClaim) => Partial<PreparedDevice>[]
  /** Throws to refuse the claim. */
  unprepare?: (claim: DraClaim) => void
}

export class DraDriverFixture {
  /** 'prepare NAME' and 'unprepare NAME', one after the other. */
  readonly calls: string[] = []
  readonly #plugin: RegisteringPlugin

  constructor(rootDir: string, name: string, settings: DraDriverSettings = {}) {
    const { service = 'v1.DRAPlugin', prepare = () => [], unprepare = () => {} } = settings
    const handlers = {
      NodePrepareResources: async ({ claims }: { claims: DraClaim[] }) =>
        answers(claims, claim => {
          this.calls.push(`prepare ${claim.name}`)
          return { devices: prepare(claim) }
        }),
      NodeUnprepareResources: async ({ claims }: { claims: DraClaim[] }) =>
        answers(claims, claim => {
          this.calls.push(`unprepare ${claim.name}`)
          unprepare(claim)
          return {}
        }),
    }
    const info = { type: 'DRAPlugin', name, supportedVersions: [service] }
    this.#plugin = new RegisteringPlugin(rootDir, info, [{ service: DRA_SERVICES[service]!, handlers }])
  }

  /** Resolves when the kubelet has said that it is registered. */
  async start(): Promise<void> {
    await this.#plugin.start()
    const { value } = await this.#plugin.heard.next()
    if (value.error) throw new Error(value.error)
  }

  stop(): void {
    this.#plugin.stop()
  }
}

/** Each claim has an answer of its own, be it an error. */
function answers(claims: readonly DraClaim[], act: (claim: DraClaim) => object): object {
  const one = (claim: DraClaim) => {
    try {
      return act(claim)
    } catch (error) {
      return { error: (error as Error).message }
    }
  }
  return { claims: Object.fromEntries(claims.map(claim => [claim.uid, one(claim)])) }
}
