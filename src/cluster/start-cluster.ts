// The roof: builds every part from configuration, starts them in order, stops them in the reverse order.
import { mkdirSync, rmSync } from 'node:fs'
import { hostname } from 'node:os'
import { pino } from 'pino'
import { SystemClock } from '../base/clock.ts'
import type { Client } from '../client/client.ts'
import type { AutoscalerSettings } from '../controllers/horizontal-pod-autoscaler/autoscaler-settings.ts'
import { shutdownGrace } from '../kubelet/configuration/settings.ts'
import { shareMounts } from '../kubelet/volumes/share-mounts.ts'
import { startApiServer } from './api-server.ts'
import { claimRange, releaseRange } from './claimed-ranges.ts'
import { startClusterDns } from './cluster-dns.ts'
import { type ClusterFacts, chooseRanges, readFacts, writeFacts } from './cluster-facts.ts'
import { startControlLoops } from './control-loops.ts'
import { kubeletConfigurationOf } from './kubelet-configuration-of.ts'
import type { OptionalPart } from './left-out.ts'
import { checkMachine } from './machine.ts'
import { type RunningRuntime, startKubelet, startRuntime } from './node.ts'
import type { ClusterParts, Undo } from './parts.ts'
import { type ClusterPaths, clusterPaths } from './paths.ts'
import { removeEverything } from './remove-everything.ts'
import { claim, release, write } from './running-cluster.ts'
import { startPolicyEnforcer, startServiceProxy } from './service-proxy.ts'

export interface ClusterConfig {
  name: string
  dataDir?: string
  /** 0: any free one; left out: the one kept from before, else 6443. */
  port?: number
  /** 'auto' and 'native': our own runtime; 'unix:///…': another CRI runtime. */
  runtime: string
  store: 'lmdb' | 'memory'
  /** Path of a KubeletConfiguration. */
  kubeletConfig?: string
  /** Path of a file of registries: mirrors, credentials, TLS. */
  registries?: string
  /** Path of a directory or file with static Pods. Default: the KubeletConfiguration's staticPodPath. */
  manifests?: string
  /**
   * How long pods may take to end when the cluster stops, in milliseconds. 0: they are killed. Default: the
   * KubeletConfiguration's shutdownGracePeriod, else ten seconds.
   */
  graceMs?: number
  /** Controllers and scheduler run only while this process holds their Leases. */
  leaderElect?: boolean
  /** How often autoscalers look at their targets, and what else can be set of them. */
  autoscaling?: Partial<AutoscalerSettings>
  /** Parts that are not started. */
  without?: readonly OptionalPart[]
  onStep?: (step: StartStep) => void
}

export interface StartStep {
  what: string
  tookMs: number
  detail: string
}

export interface Cluster {
  paths: ClusterPaths
  /** https://127.0.0.1:PORT */
  server: string
  /** In-process, as the cluster's administrator. */
  client: Client
  /** Rejects when a part that must live has died; the caller should stop the cluster then. */
  failed: Promise<never>
  /**
   * Ends everything and removes what was made on the machine; the data stays. Safe to call twice. Pods may take
   * `graceMs` (default: the configuration's) to end, or until `hurry` aborts.
   */
  stop(graceMs?: number, hurry?: AbortSignal): Promise<void>
}

const DEFAULT_PORT = 6443
const DEFAULT_GRACE_MS = 10_000

/** Resolves when the node (or without a kubelet the API server) is Ready. Throws PlainError when something is missing; nothing half-started stays then. */
export async function startCluster(config: ClusterConfig): Promise<Cluster> {
  const clock = new SystemClock()
  const log = pino(
    {
      level: process.env.KUBERNODE_LOG ?? 'warn',
      base: undefined,
      serializers: { error: pino.stdSerializers.err },
    },
    pino.destination(2),
  )
  const paths = clusterPaths(config.name, config.dataDir)
  checkMachine(paths.dataDir)
  const kubeletConfiguration = kubeletConfigurationOf(config)
  const ownGraceMs = config.graceMs ?? shutdownGrace(kubeletConfiguration)?.allMs ?? DEFAULT_GRACE_MS
  const running = claim(paths.running, {
    name: config.name,
    dataDir: paths.dataDir,
    graceMs: ownGraceMs,
  })
  rmSync(paths.stopGrace, { force: true })
  const undo: Undo[] = [() => release(paths.running)]
  const failure = Promise.withResolvers<never>()
  failure.promise.catch(() => {})
  const ending = { graceMs: 0 }
  const hurry = new AbortController()
  const end = once(() => undoAll(undo, () => removeEverything(config.name, paths)))
  const stop: Cluster['stop'] = (graceMs = ownGraceMs, hurried) => {
    ending.graceMs = graceMs
    hurried?.addEventListener('abort', () => hurry.abort(), { once: true })
    return end()
  }
  try {
    mkdirSync(paths.dataDir, { recursive: true, mode: 0o700 })
    const facts = readFacts(paths.facts) ?? newFacts(config.name, paths.running)
    undo.push(() => releaseRange(facts.podCidr, paths.running))
    const parts: ClusterParts = {
      name: config.name,
      clock,
      log,
      paths,
      facts,
      port: config.port ?? facts.port,
      nodeName: hostname().toLowerCase(),
      ending,
      hurry: hurry.signal,
      onStop: back => undo.push(back),
      fail: failure.reject,
    }
    const timed = timer(clock, config.onStep)
    const has = (part: OptionalPart) => !config.without?.includes(part)
    const runtime = has('kubelet') ? startNodeRuntime(config, parts, timed) : undefined
    runtime?.catch(() => {})
    const api = await timed('API server', startApiServer(parts, config.store), made => made.server)
    writeFacts(paths.facts, { ...facts, port: api.port })
    write(paths.running, { ...running, server: api.server })
    startControlLoops(api, parts, config)
    const dns = has('dns') ? startClusterDns(api, parts) : undefined
    dns?.catch(() => {})
    const connected = await runtime
    if (has('proxy')) startServiceProxy(api, parts)
    if (connected) {
      startPolicyEnforcer(api, parts)
      await timed(
        'node',
        startKubelet(api, connected, kubeletConfiguration, parts),
        () => `${parts.nodeName} is Ready`,
      )
    }
    await (await dns)?.serveAtGateway()
    const client = api.clientOf({ name: 'kubernetes-admin', groups: ['system:masters'] }, 'kubernode')
    return { paths, server: api.server, client, failed: failure.promise, stop }
  } catch (error) {
    await stop(0)
    throw error
  }
}

function newFacts(name: string, running: string): ClusterFacts {
  return { name, ...chooseRanges(undefined, podCidr => claimRange(podCidr, running)), port: DEFAULT_PORT }
}

type Timed = ReturnType<typeof timer>

function startNodeRuntime(config: ClusterConfig, parts: ClusterParts, timed: Timed): Promise<RunningRuntime> {
  // Before the runtime's mount namespace is made: it sees only what is shared by then.
  shareMounts(parts.paths.kubelet)
  return timed('runtime', startRuntime(parts, config.runtime, config.registries), made => made.about)
}

function timer(clock: SystemClock, onStep: ClusterConfig['onStep']) {
  const startedAt = clock.now()
  return async <T>(what: string, work: Promise<T>, detail: (made: T) => string): Promise<T> => {
    const made = await work
    onStep?.({ what, tookMs: clock.now() - startedAt, detail: detail(made) })
    return made
  }
}

/** Newest first; what fails does not keep the rest from being undone. */
async function undoAll(undo: readonly Undo[], last: () => Promise<void>): Promise<void> {
  const [release, ...others] = undo
  for (const back of others.toReversed()) await Promise.resolve(back()).catch(() => {})
  await last()
  await release!()
}

function once(work: () => Promise<void>): () => Promise<void> {
  let done: Promise<void> | undefined
  return () => {
    done ??= work()
    return done
  }
}
