// The runtime's own process. Says one line of JSON when it serves, or why it cannot; ends when its stdin does.
// Started inside the cluster's mount namespace (mount-namespace.ts).
import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { pino } from 'pino'
import { SystemClock } from '../../base/clock.ts'
import { PlainError } from '../../base/plain-error.ts'
import { shareWithHost } from './host-mounts.ts'
import { NativeImages } from './image-service.ts'
import { ImageStore } from './images/image-store.ts'
import { parseRegistries } from './images/registries-file.ts'
import { NativeRuntime } from './native-runtime.ts'
import { chooseRuntime, type RuntimeKind } from './probe.ts'
import { removeEverything } from './remove-everything.ts'
import { serveCri } from './serve-cri.ts'
import { reachableFolder, StateDir } from './state-dir.ts'

const { values } = parseArgs({
  options: {
    name: { type: 'string' },
    'state-dir': { type: 'string' },
    socket: { type: 'string' },
    'oci-runtime': { type: 'string' },
    registries: { type: 'string' },
    shared: { type: 'string' },
    'remove-everything': { type: 'boolean', default: false },
  },
})
const name = values.name ?? 'kubernode'
const stateDir = values['state-dir'] ?? `/var/lib/kubernode/${name}/runtime`
const socket = values.socket ?? `/run/kubernode/${name}/runtime.sock`
const clock = new SystemClock({ keepAlive: values['remove-everything'] })
// stdout is for the one line; everything else goes to stderr.
const log = pino(
  {
    level: process.env.KUBERNODE_LOG ?? 'warn',
    base: { part: 'runtime' },
    serializers: { error: pino.stdSerializers.err },
  },
  pino.destination(2),
)

process.umask(0o022)
if (values['remove-everything']) await removeEverything({ name, stateDir, clock })
else await serve().catch(refuse)

async function serve(): Promise<void> {
  const choice = chooseRuntime(undefined, values['oci-runtime'] as RuntimeKind | undefined)
  const dir = new StateDir(stateDir, reachableFolder(name))
  if (values.shared) shareWithHost(values.shared)
  let runtime: NativeRuntime | undefined
  const containersUsing = (imageId: string) => runtime?.containersUsing(imageId) ?? []
  const registries = values.registries ? readRegistries(values.registries) : {}
  const images = await ImageStore.open({ directory: dir.images, log, clock, registries, containersUsing })
  runtime = new NativeRuntime({ name, dir, images, choice, clock, log })
  await runtime.open()
  const stop = await serveCri(socket, runtime, new NativeImages(images, dir.images, clock))
  process.stdout.write(`${JSON.stringify({ ready: true, runtime: choice.kind })}\n`)
  process.stdin.resume()
  process.stdin.once('end', async () => {
    stop()
    runtime.close()
    await images.close()
    process.exit(0)
  })
}

function readRegistries(file: string) {
  try {
    return parseRegistries(readFileSync(file, 'utf8'), file)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw code ? new PlainError(`The file of registries ${file} cannot be read (${code}).`) : error
  }
}

function refuse(error: unknown): void {
  const text =
    error instanceof PlainError
      ? error.message
      : error instanceof Error
        ? (error.stack ?? error.message)
        : String(error)
  process.stdout.write(`${JSON.stringify({ error: text })}\n`, () => process.exit(1))
}
