// Who may do what in this cluster: administrators, then nodes, then roles; with the state that this is judged by.
import type { Storage } from '../../storage/storage.ts'
import type { AdmissionPlugin } from '../admission/admission.ts'
import type { Authorizer } from './authorizer.ts'
import { nodeAuthorizer } from './node/node-authorizer.ts'
import { NodeGraph } from './node/node-graph.ts'
import { escalationCheck } from './rbac/escalation-check.ts'
import { PolicyIndex } from './rbac/policy-index.ts'
import { RbacAuthorizer } from './rbac/rbac-authorizer.ts'
import { mastersAuthorizer, unionAuthorizer } from './union-authorizer.ts'

export class ClusterAuthorizer {
  readonly authorizer: Authorizer
  /** To run after every plugin that changes objects. */
  readonly escalationCheck: AdmissionPlugin
  readonly #index: PolicyIndex
  readonly #graph: NodeGraph

  constructor(storage: Storage) {
    this.#index = new PolicyIndex(storage)
    this.#graph = new NodeGraph(storage)
    const rbac = new RbacAuthorizer(this.#index)
    this.authorizer = unionAuthorizer([mastersAuthorizer, nodeAuthorizer(this.#graph), rbac])
    this.escalationCheck = escalationCheck({
      authorizer: this.authorizer,
      resolver: rbac,
      index: this.#index,
    })
  }

  /** Before the first question. */
  load(): Promise<void> {
    return this.#index.load()
  }

  /** Follows the store until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    await Promise.all([this.#index.run(signal), this.#graph.run(signal)])
  }
}
