// `kubernode image …`: the images of a running cluster's node.
import { resolve } from 'node:path'
import type { Command } from 'commander'
import { PlainError } from '../../base/plain-error.ts'
import { findRunning } from '../../cluster/running-cluster.ts'
import { type CriConnection, connectCri } from '../../runtime/cri-client/connect-cri.ts'
import { againOptions, type ClusterOptions, pathsOf, withClusterOptions } from '../options.ts'
import { Terminal } from '../terminal.ts'

export function addImage(program: Command): void {
  const image = program.command('image').description('load, pull, list and remove the images of the node')
  withClusterOptions(image.command('load <file>'))
    .description('load images from an OCI archive, an OCI layout directory, or what "docker save" writes')
    .option('-t, --tag <name...>', 'names to give to the image instead of those in the archive')
    .addHelpText(
      'after',
      '\nExamples:\n  kubernode image load app.tar\n  kubernode image load ./layout -t app:dev',
    )
    .action((file: string, options: ClusterOptions & { tag?: string[] }) =>
      withRuntime(options, async (runtime, terminal) => {
        const { names } = await runtime.load({ path: resolve(file), names: options.tag ?? [] })
        for (const name of names) terminal.line(`loaded ${name}`)
      }),
    )
  withClusterOptions(image.command('pull <name>'))
    .description('pull an image from its registry')
    .addHelpText('after', '\nExample:\n  kubernode image pull nginx:1.27')
    .action((name: string, options: ClusterOptions) =>
      withRuntime(options, async (runtime, terminal) => {
        const { imageRef } = await runtime.pullImage({ image: { image: name } })
        terminal.line(`pulled ${name} (${imageRef})`)
      }),
    )
  withClusterOptions(image.command('ls'))
    .description('list the images')
    .addHelpText('after', '\nExample:\n  kubernode image ls')
    .action((options: ClusterOptions) => withRuntime(options, list))
  withClusterOptions(image.command('rm <name...>'))
    .description('remove images that no container uses')
    .addHelpText('after', '\nExample:\n  kubernode image rm nginx:1.27')
    .action((names: string[], options: ClusterOptions) =>
      withRuntime(options, async (runtime, terminal) => {
        for (const name of names) {
          const { image } = await runtime.imageStatus({ image: { image: name }, verbose: false })
          if (!image) throw new PlainError(`There is no image ${name}: see "kubernode image ls".`)
          await runtime.removeImage({ image: { image: name } })
          terminal.line(`removed ${name}`)
        }
      }),
    )
}

async function list(runtime: CriConnection, terminal: Terminal): Promise<void> {
  const { images = [] } = await runtime.listImages({})
  const rows = images.flatMap(({ id, repoTags, size }) =>
    (repoTags.length > 0 ? repoTags : ['<none>']).map(name => [
      name,
      id.replace('sha256:', '').slice(0, 12),
      megabytes(size),
    ]),
  )
  const width = Math.max(4, ...rows.map(([name]) => name!.length))
  terminal.line(`${'NAME'.padEnd(width)}  ID            SIZE`)
  for (const [name, id, size] of rows.sort()) terminal.line(`${name!.padEnd(width)}  ${id}  ${size}`)
}

const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`

async function withRuntime(
  options: ClusterOptions,
  work: (runtime: CriConnection, terminal: Terminal) => Promise<void>,
): Promise<void> {
  const paths = pathsOf(options)
  if (!findRunning(paths.running)) {
    throw new PlainError(
      `Cluster "${options.name}" is not running: start it with "kubernode up${againOptions(options)}".`,
    )
  }
  const runtime = connectCri(paths.runtimeSocket)
  try {
    await work(runtime, new Terminal())
  } catch (error) {
    throw error instanceof PlainError ? error : new PlainError((error as Error).message, { cause: error })
  } finally {
    runtime.close()
  }
}
