// Registers the node and keeps its status and lease alive. Upstream: kubelet_node_status.go, nodelease.

import type { Draft } from '../../api/kube-object.ts'
import { leases, nodes } from '../../api/resources.ts'
import { isAlreadyExists, isConflict, isNotFound } from '../../api/status-error.ts'
import type { Lease } from '../../api/types/coordination-v1.ts'
import type { Node, NodeAddress, NodeStatus } from '../../api/types/core-v1.ts'
import type { Clock } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import type { Client } from '../../client/client.ts'
import { Informer } from '../../client/informer.ts'
import type { ImageService, RuntimeService } from '../../runtime/cri/cri.generated.ts'
import { apiMicroTime } from '../api-time.ts'
import type { DeviceAmounts } from '../devices/node-devices.ts'
import type { Recorder } from '../pod-events.ts'
import type { Machine } from './machine.ts'
import type { NodePressures } from './node-conditions.ts'
import { nodeEvents, nodeReference } from './node-events.ts'
import { runtimeHealth } from './node-health.ts'
import {
  differs,
  hasNewResources,
  NODE_ANNOTATIONS,
  type NodeInputs,
  newNode,
  nodeLabels,
  nodeStatus,
  statusPatch,
} from './node-status.ts'

const STATUS_EVERY_MS = 10_000
const REPORT_EVERY_MS = 300_000
const LEASE_EVERY_MS = 10_000
const LEASE_SECONDS = 40
const LEASE_NAMESPACE = 'kube-node-lease'
const RETRY_MS = 200
const RETRY_MAX_MS = 7_000

export interface NodeAgentParts {
  client: Client
  runtime: RuntimeService & ImageService
  clock: Clock
  log: Log
  nodeName: string
  addresses: readonly NodeAddress[]
  machine: Machine
  /** What presses on the node now. */
  pressures: () => NodePressures
  /** What else keeps the node from being ready; '' when nothing does. */
  problem: () => string
  /** What plugins offer. */
  devices: () => DeviceAmounts
  podCidr: string
  port: number
  recorder: Recorder
  /** Attachable volumes that the node uses. */
  volumesInUse: () => readonly string[]
  /** Somebody has written to the node. */
  seen: (node: Node) => void
}

export class NodeAgent {
  readonly #parts: NodeAgentParts
  #node: Node | undefined
  #reportedAt = 0
  #reporting: Promise<unknown> = Promise.resolve()
  #signal = new AbortController().signal

  constructor(parts: NodeAgentParts) {
    this.#parts = parts
  }

  /** The node as last seen or written; undefined before registration. */
  get node(): Node | undefined {
    return this.#node
  }

  /** Reads the node anew; what was known stays when that fails. */
  async refresh(): Promise<void> {
    const { client, nodeName, log } = this.#parts
    try {
      this.#node = await client.get(nodes, { name: nodeName })
    } catch (error) {
      log.warn({ error }, 'the node could not be read')
    }
  }

  /** Retries until the node is there. A node that exists already is adopted. */
  async register(signal: AbortSignal): Promise<void> {
    this.#signal = signal
    const { client, clock, log } = this.#parts
    for (let delay = RETRY_MS; !signal.aborted; delay = Math.min(delay * 2, RETRY_MAX_MS)) {
      try {
        const draft = newNode(await this.#inputs(), clock.now()) as unknown as Draft<Node>
        // The pod range is known here already: nothing has to wait until it is assigned.
        const { podCidr } = this.#parts
        this.#node = await client.create(nodes, { ...draft, spec: { podCIDR: podCidr, podCIDRs: [podCidr] } })
        this.#reportedAt = clock.now()
        this.#tell(undefined, this.#node.status)
        await this.#reportStatus(true)
        return
      } catch (error) {
        if (isAlreadyExists(error)) {
          await this.#adopt().catch(adoptError =>
            log.warn({ error: adoptError }, 'the node could not be adopted'),
          )
          if (this.#node) return
        } else log.warn({ error }, 'the node could not be registered; trying again')
        await clock.sleep(delay, signal).catch(() => {})
      }
    }
  }

  /**
   * Writes the node's status now if it differs from what the API shows, one time after the other: what is true when it
   * is called has been told when it resolves. Answers the node as it is then; undefined when it is registered anew.
   */
  async reportNow(): Promise<Node | undefined> {
    const written = this.#reporting.then(() => this.#reportStatus(false))
    this.#reporting = written.catch(() => {})
    return written
  }

  /** Status and lease, and what others change on the node, until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { client, clock, log, nodeName, recorder } = this.#parts
    recorder.event(nodeReference(nodeName), 'Normal', 'Starting', 'Starting kubelet.')
    const fieldSelector = `metadata.name=${nodeName}`
    const own = new Informer({ client, clock, log, resource: nodes, fieldSelector })
    own.addHandler({
      add: node => this.#seen(node),
      update: (_, node) => this.#seen(node),
    })
    await Promise.all([
      own.run(signal),
      this.#every(STATUS_EVERY_MS, () => this.reportNow(), 'the node status could not be written', signal),
      this.#every(LEASE_EVERY_MS, () => this.#renewLease(), 'the node lease could not be renewed', signal),
    ])
  }

  #seen(node: Node): void {
    this.#node = node
    this.#parts.seen(node)
    if (!hasNewResources(node.status)) return
    this.reportNow().catch(error => this.#parts.log.warn({ error }, 'the node status could not be written'))
  }

  async #every(ms: number, act: () => Promise<unknown>, failure: string, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await act().catch(error => {
        if (!signal.aborted) this.#parts.log.warn({ error }, failure)
      })
      await this.#parts.clock.sleep(ms, signal).catch(() => {})
    }
  }

  async #inputs(): Promise<NodeInputs> {
    const { runtime, nodeName, addresses, machine, port, pressures, volumesInUse } = this.#parts
    const [images, { problem, abilities }] = await Promise.all([
      runtime.listImages({}).then(
        answer => answer.images,
        () => [],
      ),
      runtimeHealth(runtime),
    ])
    return {
      nodeName,
      addresses,
      machine,
      images,
      health: { ...pressures(), problem: problem || this.#parts.problem() },
      runtime: abilities,
      devices: this.#parts.devices(),
      port,
      volumesInUse: volumesInUse(),
    }
  }

  /** Labels and annotations that the kubelet owns are set again; what others put on the node stays. */
  async #adopt(): Promise<void> {
    const { client, nodeName, machine } = this.#parts
    const found = await client.get(nodes, { name: nodeName })
    const labels = { ...found.metadata.labels, ...nodeLabels(nodeName, machine) }
    const annotations = { ...found.metadata.annotations, ...NODE_ANNOTATIONS }
    const same =
      Object.entries(labels).every(([key, value]) => found.metadata.labels?.[key] === value) &&
      Object.entries(annotations).every(([key, value]) => found.metadata.annotations?.[key] === value)
    this.#node = same
      ? found
      : await client.patch(nodes, { name: nodeName }, 'application/merge-patch+json', {
          metadata: { labels, annotations },
        })
    await this.#reportStatus(true)
  }

  async #reportStatus(always: boolean): Promise<Node | undefined> {
    const { client, clock, nodeName } = this.#parts
    const found = await client.get(nodes, { name: nodeName }).catch(error => {
      if (isNotFound(error)) return undefined
      throw error
    })
    if (!found) {
      await this.register(this.#signal)
      return undefined
    }
    const next = nodeStatus(await this.#inputs(), found.status, clock.now())
    this.#node = found
    if (!always && !differs(found.status, next) && clock.now() - this.#reportedAt < REPORT_EVERY_MS)
      return found
    const patched = await client.patch(
      nodes,
      { name: nodeName },
      'application/merge-patch+json',
      { status: statusPatch(next, found.status) },
      {
        subresource: 'status',
      },
    )
    this.#node = patched
    this.#reportedAt = clock.now()
    this.#tell(found.status, next)
    return patched
  }

  #tell(before: NodeStatus | undefined, after: NodeStatus): void {
    const { recorder, nodeName } = this.#parts
    for (const { type, reason, message } of nodeEvents(nodeName, before, after))
      recorder.event(nodeReference(nodeName), type, reason, message)
  }

  async #renewLease(): Promise<void> {
    const { client, nodeName, clock } = this.#parts
    const key = { namespace: LEASE_NAMESPACE, name: nodeName }
    const renewTime = apiMicroTime(clock.now())
    const found = await client.get(leases, key).catch(error => {
      if (isNotFound(error)) return undefined
      throw error
    })
    const spec = { ...found?.spec, holderIdentity: nodeName, leaseDurationSeconds: LEASE_SECONDS, renewTime }
    try {
      if (found) await client.update(leases, { ...found, spec } as Draft<Lease>)
      else await client.create(leases, this.#newLease(spec))
    } catch (error) {
      // Somebody else wrote in between; the next round sees it.
      if (!isConflict(error) && !isAlreadyExists(error)) throw error
    }
  }

  #newLease(spec: Lease['spec']): Draft<Lease> {
    const { nodeName } = this.#parts
    const uid = this.#node?.metadata.uid
    const owner = { apiVersion: 'v1', kind: 'Node', name: nodeName, uid: uid ?? '' }
    const metadata = { name: nodeName, namespace: LEASE_NAMESPACE, ...(uid && { ownerReferences: [owner] }) }
    return { metadata, spec } as unknown as Draft<Lease>
  }
}
