// Keeps the kernel's table of NetworkPolicies in step with policies, pods and namespaces.
import { namespaces, networkPolicies, pods } from '../../api/resources.ts'
import type { Namespace, Pod } from '../../api/types/core-v1.ts'
import type { NetworkPolicy } from '../../api/types/networking-v1.ts'
import type { Clock } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import type { Client } from '../../client/client.ts'
import { Informer } from '../../client/informer.ts'
import { compilePolicies } from './compile-policies.ts'
import type { PolicyTarget } from './policy-table.ts'

/** Between tries after the kernel refused something. */
const RETRY_MS = 1_000

export interface EnforcerOptions {
  client: Client
  clock: Clock
  log: Log
  target: PolicyTarget
}

export class PolicyEnforcer {
  readonly #options: EnforcerOptions
  readonly #policies: Informer<NetworkPolicy>
  readonly #pods: Informer<Pod>
  readonly #namespaces: Informer<Namespace>
  #wake = Promise.withResolvers<void>()

  constructor(options: EnforcerOptions) {
    this.#options = options
    const { client, clock, log } = options
    this.#policies = new Informer({ client, resource: networkPolicies, clock, log })
    this.#pods = new Informer({ client, resource: pods, clock, log })
    this.#namespaces = new Informer({ client, resource: namespaces, clock, log })
  }

  /** Until the signal aborts; what is enforced stays so then. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, log } = this.#options
    const informers = [this.#policies, this.#pods, this.#namespaces]
    const touch = () => this.#wake.resolve()
    for (const informer of informers) informer.addHandler({ add: touch, update: touch, delete: touch })
    const running = Promise.all(informers.map(informer => informer.run(signal)))
    const aborted = new Promise<void>(resolve => {
      if (signal.aborted) resolve()
      signal.addEventListener('abort', () => resolve(), { once: true })
    })
    await Promise.race([Promise.all(informers.map(({ synced }) => synced)), aborted])
    while (!signal.aborted) {
      this.#wake = Promise.withResolvers()
      try {
        await this.#enforce()
        await Promise.race([this.#wake.promise, aborted])
      } catch (error) {
        log.error({ error }, 'network policies could not be put into the kernel; trying again')
        await clock.sleep(RETRY_MS, signal).catch(() => {})
      }
    }
    await running
  }

  async #enforce(): Promise<void> {
    const policies = this.#policies.lister.list()
    const compiled =
      policies.length === 0
        ? []
        : compilePolicies({
            policies,
            pods: this.#pods.lister.list(),
            namespaces: this.#namespaces.lister.list(),
          }).values()
    await this.#options.target.replace([...compiled].flat())
  }
}
