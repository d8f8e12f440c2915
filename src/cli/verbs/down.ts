// `kubernode down`: ends a cluster, running or crashed, and removes everything it made on the machine.
import { existsSync } from 'node:fs'
import type { Command } from 'commander'
import { SystemClock } from '../../base/clock.ts'
import { PlainError } from '../../base/plain-error.ts'
import { removeEverything } from '../../cluster/remove-everything.ts'
import { findRunning, readLeft, waitUntilGone, writeStopGrace } from '../../cluster/running-cluster.ts'
import { type ClusterOptions, graceOption, pathsOf, withClusterOptions } from '../options.ts'
import { removeData } from '../remove-data.ts'
import { stopwatch, Terminal } from '../terminal.ts'

const STOP_WITHIN_MS = 60_000

export function addDown(program: Command): void {
  withClusterOptions(program.command('down'))
    .description('stop a cluster; its data stays, everything else it made on this machine goes')
    .option('--purge', 'remove the data directory too')
    .addOption(graceOption('how long Pods may take to end (default: what `up` was told; with --purge 0s)'))
    .addHelpText('after', '\nExamples:\n  kubernode down\n  kubernode down --name two --purge')
    .action(down)
}

async function down(options: ClusterOptions & { purge?: boolean; grace?: number }): Promise<void> {
  const terminal = new Terminal()
  const took = stopwatch(new SystemClock())
  const left = readLeft(pathsOf(options).running)
  const paths = pathsOf({ ...options, ...(!options.dataDir && left && { dataDir: left.dataDir }) })
  const running = findRunning(paths.running)
  if (running) {
    const grace = options.grace ?? (options.purge ? 0 : undefined)
    if (grace !== undefined) writeStopGrace(paths.stopGrace, grace)
    process.kill(running.pid, 'SIGTERM')
    if (
      !(await waitUntilGone(
        paths.running,
        running,
        AbortSignal.timeout(STOP_WITHIN_MS + (grace ?? running.graceMs)),
      ))
    ) {
      throw new PlainError(
        `Process ${running.pid} did not stop in time: end it with "kill -9 ${running.pid}" and run down again.`,
      )
    }
  }
  // A cluster that ends in its own way removes everything itself, its file of being there last.
  if (!running || existsSync(paths.running)) await removeEverything(options.name, paths)
  if (options.purge) removeData(paths.dataDir)
  terminal.done(
    running ? 'stopped' : 'cleaned up',
    took(),
    options.purge ? '' : `data stays in ${paths.dataDir}`,
  )
}
