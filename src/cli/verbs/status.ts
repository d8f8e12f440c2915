// `kubernode status`: whether a cluster runs, its node and its pods.
import type { Command } from 'commander'
import { nodes, pods } from '../../api/resources.ts'
import { findRunning } from '../../cluster/running-cluster.ts'
import { openClient } from '../open-client.ts'
import { againOptions, type ClusterOptions, pathsOf, withClusterOptions } from '../options.ts'
import { Terminal } from '../terminal.ts'

export function addStatus(program: Command): void {
  withClusterOptions(program.command('status'))
    .description('say whether a cluster runs; exit code 0 when it does, 3 when not')
    .option('-o, --output <format>', 'text or json', 'text')
    .addHelpText('after', '\nExamples:\n  kubernode status\n  kubernode status --name two -o json')
    .action(status)
}

async function status(options: ClusterOptions & { output: string }): Promise<void> {
  const terminal = new Terminal()
  const paths = pathsOf(options)
  const running = findRunning(paths.running)
  if (!running) {
    process.exitCode = 3
    if (options.output === 'json')
      return terminal.line(JSON.stringify({ name: options.name, running: false }))
    return terminal.line(
      `Cluster "${options.name}" is not running: start it with "kubernode up${againOptions(options)}".`,
    )
  }
  const client = openClient(pathsOf({ ...options, dataDir: running.dataDir }).kubeconfig)
  const [nodeList, podList] = await Promise.all([client.list(nodes), client.list(pods)])
  const ready = nodeList.items.filter(node =>
    node.status.conditions?.some(condition => condition.type === 'Ready' && condition.status === 'True'),
  )
  const phases = Object.groupBy(podList.items, pod => pod.status.phase ?? 'Unknown')
  const counts = Object.fromEntries(Object.entries(phases).map(([phase, list]) => [phase, list!.length]))
  if (options.output === 'json') {
    return terminal.line(
      JSON.stringify({
        ...running,
        running: true,
        nodes: nodeList.items.length,
        readyNodes: ready.length,
        pods: counts,
      }),
    )
  }
  const podText = Object.entries(counts).map(([phase, count]) => `${count} ${phase}`)
  terminal.line(`Cluster "${running.name}" runs at ${running.server} (process ${running.pid}).`)
  terminal.line(`  nodes  ${ready.length} of ${nodeList.items.length} Ready`)
  terminal.line(`  pods   ${podText.join(', ') || 'none'}`)
  terminal.line(`  data   ${running.dataDir}`)
}
