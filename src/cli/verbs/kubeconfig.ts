// `kubernode kubeconfig`: prints the admin kubeconfig, or only its path.
import { existsSync, readFileSync } from 'node:fs'
import type { Command } from 'commander'
import { PlainError } from '../../base/plain-error.ts'
import { againOptions, type ClusterOptions, pathsOf, withClusterOptions } from '../options.ts'

export function addKubeconfig(program: Command): void {
  withClusterOptions(program.command('kubeconfig'))
    .description('print the admin kubeconfig')
    .option('--path', 'print only where it is')
    .addHelpText(
      'after',
      '\nExamples:\n  export KUBECONFIG=$(kubernode kubeconfig --path)\n  kubernode kubeconfig --name two > two.kubeconfig',
    )
    .action((options: ClusterOptions & { path?: boolean }) => {
      const file = pathsOf(options).kubeconfig
      if (!existsSync(file)) {
        throw new PlainError(
          `There is no ${file}: start the cluster once with "kubernode up${againOptions(options)}".`,
        )
      }
      process.stdout.write(options.path ? `${file}\n` : readFileSync(file))
    })
}
