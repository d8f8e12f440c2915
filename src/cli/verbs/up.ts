// `kubernode up`: a cluster in the foreground, or in the background with --detach.
import { spawn } from 'node:child_process'
import { closeSync, mkdirSync, openSync } from 'node:fs'
import type { Command } from 'commander'
import { PlainError } from '../../base/plain-error.ts'
import { findRunning, readStopGrace } from '../../cluster/running-cluster.ts'
import { type Cluster, type StartStep, startCluster } from '../../cluster/start-cluster.ts'
import {
  againOptions,
  autoscalingOf,
  graceOption,
  pathsOf,
  type UpOptions,
  withUpOptions,
} from '../options.ts'
import { stopSignal } from '../stop-signal.ts'
import { Terminal } from '../terminal.ts'

type ForegroundOptions = UpOptions & { grace?: number }

export function addUp(program: Command): void {
  withUpOptions(program.command('up'))
    .description('start a cluster, and stay with it until Ctrl-C')
    .addOption(
      graceOption(
        'how long Pods may take to end when the cluster stops (default: shutdownGracePeriod of the KubeletConfiguration, else 10s)',
      ),
    )
    .option('-d, --detach', 'start it in the background; return when the node is Ready')
    .addHelpText(
      'after',
      '\nExamples:\n  kubernode up\n  kubernode up --detach --name two --data-dir /tmp/two --port 0\n' +
        '  kubernode up --runtime unix:///run/containerd/containerd.sock\n' +
        '  kubernode up --without scheduler          # Pods wait for a scheduler of yours\n' +
        '  kubernode up --without kubelet,dns,proxy  # the API and its controllers, no node',
    )
    .action(async (options: ForegroundOptions & { detach?: boolean }) =>
      options.detach ? upDetached(options) : upInForeground(options),
    )
}

async function upInForeground(options: ForegroundOptions): Promise<void> {
  const terminal = new Terminal()
  const stop = stopSignal()
  const cluster = await startVisibly(options, terminal)
  terminal.line(`\n  export KUBECONFIG=${cluster.paths.kubeconfig}\n`)
  process.send?.({ ready: true })
  await Promise.race([stop.requested, cluster.failed]).catch(async error => {
    await cluster.stop(0)
    throw error
  })
  terminal.line('stopping … (again to end Pods at once)')
  await cluster.stop(readStopGrace(cluster.paths.stopGrace), stop.hurried)
}

/** Starts and prints each step as it is done. */
export async function startVisibly(options: ForegroundOptions, terminal: Terminal): Promise<Cluster> {
  const show = ({ what, tookMs, detail }: StartStep) => terminal.done(what, tookMs, detail)
  return startCluster({
    ...options,
    autoscaling: autoscalingOf(options),
    ...(options.grace !== undefined && { graceMs: options.grace }),
    onStep: show,
  })
}

async function upDetached(options: ForegroundOptions): Promise<void> {
  const terminal = new Terminal()
  const paths = pathsOf(options)
  mkdirSync(paths.dataDir, { recursive: true, mode: 0o700 })
  const log = openSync(paths.log, 'a', 0o600)
  const child = spawn(process.execPath, [...process.execArgv, process.argv[1]!, 'up', ...again(options)], {
    detached: true,
    stdio: ['ignore', log, log, 'ipc'],
  })
  closeSync(log)
  await new Promise<void>((resolve, reject) => {
    child.once('message', (message: { ready?: true; error?: string }) =>
      message.ready ? resolve() : reject(new PlainError(message.error ?? 'the cluster did not start')),
    )
    child.once('exit', code =>
      reject(new PlainError(`The cluster stopped while starting (exit code ${code}): see ${paths.log}.`)),
    )
  })
  child.disconnect()
  child.unref()
  terminal.line(`Cluster "${options.name}" is ready at ${findRunning(paths.running)?.server}.`)
  terminal.line(`  export KUBECONFIG=${paths.kubeconfig}`)
  terminal.line(`  kubernode down${againOptions(options)}   # stops it`)
}

function again(options: ForegroundOptions): string[] {
  return [
    ['--name', options.name],
    options.dataDir ? ['--data-dir', options.dataDir] : [],
    options.port === undefined ? [] : ['--port', String(options.port)],
    ['--runtime', options.runtime],
    ['--store', options.store],
    options.kubeletConfig ? ['--kubelet-config', options.kubeletConfig] : [],
    options.manifests ? ['--manifests', options.manifests] : [],
    options.grace === undefined ? [] : ['--grace', `${options.grace}ms`],
    options.leaderElect ? ['--leader-elect'] : [],
    duration('--horizontal-pod-autoscaler-sync-period', options.horizontalPodAutoscalerSyncPeriod),
    duration(
      '--horizontal-pod-autoscaler-downscale-stabilization',
      options.horizontalPodAutoscalerDownscaleStabilization,
    ),
    options.without ? ['--without', options.without.join(',')] : [],
    options.registries ? ['--registries', options.registries] : [],
  ].flat()
}

const duration = (flag: string, ms: number | undefined): string[] =>
  ms === undefined ? [] : [flag, `${ms}ms`]
