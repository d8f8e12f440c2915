// The command line: one file per verb in verbs/. Errors meant for people are printed as one sentence.
import { Command } from 'commander'
import { StatusError } from '../api/status-error.ts'
import { PlainError } from '../base/plain-error.ts'
import { Terminal } from './terminal.ts'
import { addDemo } from './verbs/demo.ts'
import { addDown } from './verbs/down.ts'
import { addImage } from './verbs/image.ts'
import { addKubeconfig } from './verbs/kubeconfig.ts'
import { addStatus } from './verbs/status.ts'
import { addUp } from './verbs/up.ts'

export async function runProgram(argv: readonly string[]): Promise<void> {
  const program = new Command('kubernode')
    .description('Kubernetes in one Node.js process: real containers, real kubectl, no Docker, no VM.')
    .addHelpText(
      'after',
      '\nExamples:\n  kubernode up --detach\n  export KUBECONFIG=$(kubernode kubeconfig --path)\n  kubectl get pods -A\n  kubernode down',
    )
    .showHelpAfterError('(add --help for what is possible)')
  for (const add of [addUp, addDown, addStatus, addKubeconfig, addImage, addDemo]) add(program)
  for (const stream of [process.stdout, process.stderr]) stream.on('error', ignoreGoneReader)
  try {
    await program.parseAsync(argv)
  } catch (error) {
    reportAndFail(error)
  }
}

/** Who read our words may have had enough (`kubernode status | head -1`): that ends nothing. */
function ignoreGoneReader(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw error
}

function reportAndFail(error: unknown): void {
  const forPeople = error instanceof PlainError || error instanceof StatusError
  const text = forPeople
    ? error.message
    : error instanceof Error
      ? (error.stack ?? error.message)
      : String(error)
  new Terminal(process.stderr).failed(text)
  process.send?.({ error: text })
  process.exitCode = 1
  // Parts that were half-started may hold the event loop; everything worth keeping is on disk by now.
  setImmediate(() => process.exit())
}
