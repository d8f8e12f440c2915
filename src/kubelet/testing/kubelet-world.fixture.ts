// A kubelet over the real API server (memory storage) and a fake runtime. Time stands still unless a test moves it.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Draft } from '../../api/kube-object.ts'
import { configMaps, events, namespaces, pods } from '../../api/resources.ts'
import type { ConfigMap, Event, Namespace, Pod } from '../../api/types/core-v1.ts'
import { chain } from '../../apiserver/admission/admission.ts'
import { createRegistry } from '../../apiserver/registry/registry.ts'
import { silentLog } from '../../base/log.ts'
import { ManualClock } from '../../base/manual-clock.ts'
import { Client } from '../../client/client.ts'
import { EventRecorder } from '../../client/events/event-recorder.ts'
import { MemoryStorage } from '../../storage/memory/memory-storage.ts'
import { Kubelet } from '../kubelet.ts'
import type { KubeletOptions } from '../kubelet-parts.ts'
import type { Machine } from '../node/machine.ts'
import { FakeCri } from './fake-cri.fixture.ts'

export const START = Date.parse('2026-01-01T00:00:00Z')

const machine: Machine = {
  cpus: 4,
  memoryBytes: 8 * 2 ** 30,
  ephemeralStorageBytes: 100 * 2 ** 30,
  hugepages: { '1Gi': 0, '2Mi': 0 },
  info: {
    machineID: 'm',
    systemUUID: 's',
    bootID: 'b',
    kernelVersion: '6.1',
    osImage: 'Test',
    containerRuntimeVersion: 'fake://1.0.0',
    kubeletVersion: 'v1.36.2',
    kubeProxyVersion: '',
    operatingSystem: 'linux',
    architecture: 'amd64',
  },
}

export class KubeletWorld {
  readonly clock = new ManualClock(START)
  readonly cri: FakeCri
  readonly dir = mkdtempSync(join(tmpdir(), 'kubelet-test-'))
  readonly client: Client
  /** What `kubectl get -w` would have shown, one entry per change of the pod. */
  readonly seen: Pod[] = []
  kubelet!: Kubelet
  #run: { abort: AbortController; done: Promise<void> } | undefined
  readonly #watch = new AbortController()

  private constructor(makeCri: (clock: ManualClock) => FakeCri) {
    this.cri = makeCri(this.clock)
    const registry = createRegistry({
      storage: new MemoryStorage(),
      clock: this.clock,
      admission: chain([]),
      nodeAccess: {
        logs: (...args) => this.kubelet.nodeAccess.logs(...args),
        get: (...args) => this.kubelet.nodeAccess.get(...args),
      },
      tokenIssuer: {
        issue: async ({ boundObject }) => ({
          token: `token-for-${boundObject?.name}`,
          expirationTimestamp: new Date(this.clock.now() + 3_600_000).toISOString(),
        }),
      },
    })
    this.client = new Client(registry.handle, { name: 'system:node:node-1', groups: ['system:nodes'] })
  }

  static async create(
    options: KubeletOptions = {},
    makeCri = (clock: ManualClock): FakeCri => new FakeCri(clock),
  ): Promise<KubeletWorld> {
    const world = new KubeletWorld(makeCri)
    for (const name of ['default', 'kube-node-lease']) {
      await world.client.create(namespaces, { metadata: { name } } as unknown as Draft<Namespace>)
    }
    void world.#collect()
    world.startKubelet(options)
    return world
  }

  startKubelet(options: KubeletOptions = {}): void {
    const { client, clock, dir } = this
    const recorder = new EventRecorder({
      client,
      component: 'kubelet',
      host: 'node-1',
      clock,
      log: silentLog,
    })
    this.kubelet = new Kubelet({
      client,
      runtime: this.cri.service,
      clock,
      nodeName: 'node-1',
      rootDir: join(dir, 'kubelet'),
      logDir: join(dir, 'logs', 'pods'),
      podCidr: '10.244.0.0/24',
      clusterDns: ['10.96.0.10'],
      clusterDomain: 'cluster.local',
      nodeAddresses: [
        { type: 'InternalIP', address: '192.168.1.5' },
        { type: 'Hostname', address: 'node-1' },
      ],
      recorder,
      log: process.env.KUBELET_TEST_LOG ? consoleLog : silentLog,
      random: () => 0.5,
      options: { machine, observe: () => ({}), ...options },
    })
    const abort = new AbortController()
    this.#run = { abort, done: this.kubelet.run(abort.signal) }
  }

  async stopKubelet(): Promise<void> {
    this.#run?.abort.abort()
    await this.#run?.done
    this.#run = undefined
  }

  async close(): Promise<void> {
    await this.stopKubelet()
    this.#watch.abort()
    rmSync(this.dir, { recursive: true, force: true })
  }

  async #collect(): Promise<void> {
    for await (const event of this.client.watch(pods, { signal: this.#watch.signal })) {
      if (event.type === 'ADDED' || event.type === 'MODIFIED') this.seen.push(event.object)
    }
  }

  /** Creates a pod that is bound to the node already. */
  async createPod(name: string, spec: Partial<Pod['spec']>, metadata: object = {}): Promise<Pod> {
    const draft = {
      metadata: { name, namespace: 'default', ...metadata },
      spec: { nodeName: 'node-1', containers: [container('app')], ...spec },
    }
    return this.client.create(pods, draft as Draft<Pod>)
  }

  createConfigMap(name: string, data: Record<string, string>) {
    return this.client.create(configMaps, {
      metadata: { name, namespace: 'default' },
      data,
    } as unknown as Draft<ConfigMap>)
  }

  pod(name: string): Promise<Pod> {
    return this.client.get(pods, { namespace: 'default', name })
  }

  /** Waits, in real time but not in the clock's, until the pod is as wanted. */
  async until(name: string, wanted: (pod: Pod) => boolean): Promise<Pod> {
    let last: Pod | undefined
    for (let turn = 0; turn < 4000; turn++) {
      last = await this.pod(name).catch(() => undefined)
      if (last && wanted(last)) return last
      await new Promise(resolve => setTimeout(resolve, turn < 200 ? 0 : 1))
    }
    throw new Error(
      `the pod never became as wanted: ${JSON.stringify(last?.status)} ${(await this.eventsOf(name)).join('; ')} ${this.cri.calls.join(', ')}`,
    )
  }

  async untilTrue(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
    for (let turn = 0; turn < 4000; turn++) {
      if (await holds()) return
      await new Promise(resolve => setTimeout(resolve, turn < 200 ? 0 : 1))
    }
    throw new Error(`never: ${what}; ${this.cri.calls.join(', ')}`)
  }

  /** 'reason: message' of the pod's events, oldest first. */
  async eventsOf(name: string): Promise<string[]> {
    const { items } = await this.client.list(events, { namespace: 'default' })
    return items
      .filter((event: Event) => event.involvedObject.name === name)
      .sort((a, b) => Number(a.metadata.resourceVersion) - Number(b.metadata.resourceVersion))
      .map(({ reason, message }) => `${reason}: ${message}`)
  }
}

const consoleLog = Object.fromEntries(
  ['debug', 'info', 'warn', 'error'].map(level => [
    level,
    (fields: object, text: string) => console.error(level, text, fields),
  ]),
) as unknown as typeof silentLog

/** A container that needs nothing. */
export const container = (name: string, more: object = {}) => ({
  name,
  image: 'example/app:1',
  imagePullPolicy: 'IfNotPresent' as const,
  terminationMessagePath: '/dev/termination-log',
  terminationMessagePolicy: 'File' as const,
  resources: {},
  ...more,
})
