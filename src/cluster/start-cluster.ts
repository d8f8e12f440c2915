// The roof: builds every part from configuration, starts them in order, stops them in the reverse order.
import { mkdirSync, rmSync } from 'node:fs'
import { hostname } from 'node:os'
import { pino } from 'pino'
import { type Clock, SystemClock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { Client } from '../client/client.ts'
import type { AutoscalerSettings } from '../controllers/horizontal-pod-autoscaler/autoscaler-settings.ts'
import type { KubeletConfiguration } from '../kubelet/configuration/kubelet-configuration.ts'
import { shutdownGrace } from '../kubelet/configuration/settings.ts'
import { shareMounts } from '../kubelet/volumes/share-mounts.ts'
import { type RunningApiServer, startApiServer } from './api-server.ts'
import { claimRange, releaseRange } from './claimed-ranges.ts'
import { startClusterDns } from './cluster-dns.ts'
import { type ClusterFacts, chooseRanges, readFacts, writeFacts } from './cluster-facts.ts'
import { startControlLoops } from './control-loops.ts'
import { Ending } from './ending.ts'
import { kubeletConfigurationOf } from './kubelet-configuration-of.ts'
import type { OptionalPart } from './left-out.ts'
import { checkMachine } from './machine.ts'
import { type RunningRuntime, startKubelet, startRuntime } from './node.ts'
import type { ClusterParts } from './parts.ts'
import { type ClusterPaths, clusterPaths } from './paths.ts'
import { removeEverything } from './remove-everything.ts'
import { claim, type RunningCluster, release, write } from './running-cluster.ts'
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
  const log = stderrLog()
  const paths = clusterPaths(config.name, config.dataDir)
  checkMachine(paths.dataDir)
  const kubelet = kubeletConfigurationOf(config)
  const ownGraceMs = config.graceMs ?? shutdownGrace(kubelet)?.allMs ?? DEFAULT_GRACE_MS
  const running = claim(paths.running, {
    name: config.name,
    dataDir: paths.dataDir,
    graceMs: ownGraceMs,
  })
  rmSync(paths.stopGrace, { force: true })
  const ending = new Ending(
    () => removeEverything(config.name, paths),
    () => release(paths.running),
  )
  const failure = Promise.withResolvers<never>()
  failure.promise.catch(() => {})
  const stop: Cluster['stop'] = (graceMs = ownGraceMs, hurried) => ending.end(graceMs, hurried)
  try {
    mkdirSync(paths.dataDir, { recursive: true, mode: 0o700 })
    const facts = readFacts(paths.facts) ?? newFacts(config.name, paths.running)
    ending.add(() => releaseRange(facts.podCidr, paths.running))
    const api = await startParts(config, kubelet, running, {
      name: config.name,
      clock,
      log,
      paths,
      facts,
      port: config.port ?? facts.port,
      nodeName: hostname().toLowerCase(),
      ending,
      hurry: ending.hurry,
      onStop: undo => ending.add(undo),
      fail: failure.reject,
    })
    const client = api.clientOf({ name: 'kubernetes-admin', groups: ['system:masters'] }, 'kubernode')
    return { paths, server: api.server, client, failed: failure.promise, stop }
  } catch (error) {
    await stop(0)
    throw error
  }
}

/** In the order in which they need one another; runtime and DNS come up beside the others. */
async function startParts(
  config: ClusterConfig,
  kubelet: KubeletConfiguration,
  running: RunningCluster,
  parts: ClusterParts,
): Promise<RunningApiServer> {
  const { paths, facts, nodeName } = parts
  const timed = timer(parts.clock, config.onStep)
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
    await timed('node', startKubelet(api, connected, kubelet, parts), () => `${nodeName} is Ready`)
  }
  await (await dns)?.serveAtGateway()
  return api
}

function stderrLog(): Log {
  return pino(
    {
      level: process.env.KUBERNODE_LOG ?? 'warn',
      base: undefined,
      serializers: { error: pino.stdSerializers.err },
    },
    pino.destination(2),
  )
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

function timer(clock: Clock, onStep: ClusterConfig['onStep']) {
  const startedAt = clock.now()
  return async <T>(what: string, work: Promise<T>, detail: (made: T) => string): Promise<T> => {
    const made = await work
    onStep?.({ what, tookMs: clock.now() - startedAt, detail: detail(made) })
    return made
  }
}
