// Options that several verbs share, and how they are checked.
import { type Command, InvalidArgumentError, Option } from 'commander'
import { parseGoDuration } from '../api/duration.ts'
import { OPTIONAL_PARTS, type OptionalPart } from '../cluster/left-out.ts'
import { type ClusterPaths, clusterPaths } from '../cluster/paths.ts'
import type { ClusterConfig } from '../cluster/start-cluster.ts'

export interface ClusterOptions {
  name: string
  dataDir?: string
}

export interface UpOptions extends ClusterOptions {
  /** 0: a free one. Left out: the one chosen before, else 6443. */
  port?: number
  runtime: string
  store: 'lmdb' | 'memory'
  /** Controllers and scheduler wait for their Leases. */
  leaderElect?: boolean
  /** How often autoscalers look at their targets. Milliseconds. */
  horizontalPodAutoscalerSyncPeriod?: number
  /** How long they wait before there are fewer Pods. Milliseconds. */
  horizontalPodAutoscalerDownscaleStabilization?: number
  /** Parts that are not started. */
  without?: OptionalPart[]
  /** Path of a KubeletConfiguration. */
  kubeletConfig?: string
  /** Path of a directory or file with static Pods. */
  manifests?: string
  /** Path of a file of registries. */
  registries?: string
}

export function withClusterOptions(command: Command): Command {
  return command
    .option(
      '--name <name>',
      "the cluster's name; everything made on this machine carries it",
      parseName,
      'kubernode',
    )
    .option('--data-dir <dir>', 'where the cluster keeps its data (default: /var/lib/kubernode/NAME)')
}

export function withUpOptions(command: Command): Command {
  return withClusterOptions(command)
    .option('--port <number>', 'port of the API server, 0 for any free one (default: 6443)', parsePort)
    .option(
      '--runtime <runtime>',
      'auto, native, or the socket of another CRI runtime: unix:///PATH',
      parseRuntime,
      'auto',
    )
    .option('--kubelet-config <file>', 'a KubeletConfiguration in YAML: eviction thresholds and the like')
    .option('--manifests <dir>', 'a directory (or file) of Pods in YAML that the node runs by itself')
    .option(
      '--registries <file>',
      'mirrors, credentials and TLS of image registries, as in registries.yaml of k3s',
    )
    .option(
      '--leader-elect',
      'controllers and scheduler run only while this process holds their Leases in kube-system',
    )
    .option(
      '--without <parts>',
      `leave parts out, to bring your own or none: ${OPTIONAL_PARTS.join(', ')}; several with commas`,
      parseParts,
    )
    .option(
      '--horizontal-pod-autoscaler-sync-period <duration>',
      'how often autoscalers look at their targets (default: 15s)',
      parseDuration,
    )
    .option(
      '--horizontal-pod-autoscaler-downscale-stabilization <duration>',
      'how long an autoscaler without a window of its own waits before there are fewer Pods (default: 5m)',
      parseDuration,
    )
    .option('--store <store>', 'lmdb (on disk) or memory (gone at the end)', parseStore, 'lmdb' as const)
}

/** A time, given as '30s'; its value is in milliseconds. */
export const graceOption = (what: string): Option =>
  new Option('--grace <duration>', `${what}, such as 30s; 0s kills them`).argParser(parseDuration)

export const pathsOf = (options: ClusterOptions): ClusterPaths => clusterPaths(options.name, options.dataDir)

/** How to name the same cluster again on a command line; empty for the default one. */
export function againOptions({ name, dataDir }: ClusterOptions): string {
  return (name === 'kubernode' ? '' : ` --name ${name}`) + (dataDir ? ` --data-dir ${dataDir}` : '')
}

function parseName(text: string): string {
  // Link names on Linux have 15 characters, so derived names are hashed; this bound is for paths and cgroups.
  if (/^[a-z0-9]([-a-z0-9]{0,38}[a-z0-9])?$/.test(text)) return text
  throw new InvalidArgumentError('a name has at most 40 lower-case letters, digits and inner dashes.')
}

function parseDuration(text: string): number {
  const ms = parseGoDuration(text)
  if (ms !== undefined && ms >= 0) return ms
  throw new InvalidArgumentError('a duration is written like 500ms, 30s or 1m30s.')
}

function parsePort(text: string): number {
  const port = Number(text)
  if (Number.isInteger(port) && port >= 0 && port <= 65_535) return port
  throw new InvalidArgumentError('a port is a number from 0 to 65535.')
}

function parseRuntime(text: string): string {
  if (text === 'auto' || text === 'native' || text.startsWith('unix:///')) return text
  throw new InvalidArgumentError('use auto, native or unix:///PATH.')
}

function parseStore(text: string): 'lmdb' | 'memory' {
  if (text === 'lmdb' || text === 'memory') return text
  throw new InvalidArgumentError('use lmdb or memory.')
}

function parseParts(text: string): OptionalPart[] {
  return text.split(',').map(word => {
    const part = OPTIONAL_PARTS.find(name => name === word.trim())
    if (part) return part
    throw new InvalidArgumentError(`use one or more of ${OPTIONAL_PARTS.join(', ')}.`)
  })
}

/** What was said of autoscalers. */
export function autoscalingOf(options: UpOptions): NonNullable<ClusterConfig['autoscaling']> {
  const {
    horizontalPodAutoscalerSyncPeriod: syncPeriodMs,
    horizontalPodAutoscalerDownscaleStabilization: downscaleStabilizationMs,
  } = options
  return {
    ...(syncPeriodMs !== undefined && { syncPeriodMs }),
    ...(downscaleStabilizationMs !== undefined && { downscaleStabilizationMs }),
  }
}
