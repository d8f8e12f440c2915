// The native runtime as its own process, with a name, state and socket of its own; nothing of it stays.
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ContractWorld, Script } from '../../contract.ts'
import { type CriConnection, connectCri } from '../../cri-client/connect-cri.ts'
import { removeMountNamespace } from '../mount-namespace.ts'
import type { RuntimeKind } from '../probe.ts'
import { monitorsOf, processesIn } from '../remove-everything.ts'
import { type RuntimePlace, removeRuntimeTraces, startRuntimeProcess } from '../runtime-process.ts'
import { isAlive } from '../syscall/is-alive.ts'

/** A shell and its utilities, as the set-up makes it. */
export const BUSYBOX = join(import.meta.dirname, '../../../../.cache/images/busybox')

/** Why the native runtime cannot run here; false when it can. */
export const NEEDS =
  process.getuid?.() !== 0
    ? 'needs root'
    : existsSync(BUSYBOX)
      ? false
      : 'the busybox image is missing: run "npm run setup"'

export interface NativeWorld extends ContractWorld {
  readonly service: CriConnection
  /** As a restart of the machine: of the runtime and its containers, files on the disk are all that is left. */
  restartMachine(): Promise<void>
}

export async function openNative(kind: RuntimeKind): Promise<NativeWorld> {
  const folder = mkdtempSync(join(tmpdir(), 'kubernode-native-'))
  const name = `contract-${kind}-${process.pid}`
  const place: RuntimePlace = {
    name,
    kind,
    stateDir: join(folder, 'state'),
    socket: join(folder, 'cri.sock'),
  }
  let child = await startRuntimeProcess(place)
  let connection = connectCri(place.socket)
  const kill = async () => {
    child.failed.catch(() => {})
    process.kill(child.pid, 'SIGKILL')
    await child.failed.catch(() => {})
    connection.close()
  }
  const start = async () => {
    child = await startRuntimeProcess(place)
    connection = connectCri(place.socket)
  }
  await connection.load({ path: BUSYBOX, names: ['busybox'] })
  return {
    get service() {
      return connection
    },
    image: 'busybox',
    logDirectory: join(folder, 'logs'),
    cgroupParent: `/${name}/kubepods`,
    graceSeconds: 1,
    scripted: (_, script) => ({ command: ['/bin/sh', '-c', shellOf(script)] }),
    settle: promise => promise,
    async restart() {
      await kill()
      await start()
    },
    async restartMachine() {
      await kill()
      await killContainers(place)
      removeMountNamespace(place.stateDir)
      await start()
    },
    async close() {
      connection.close()
      await child.stop()
      await removeRuntimeTraces(place)
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** Monitors first, so that they tell nobody how the containers ended. */
async function killContainers({ name, stateDir }: RuntimePlace): Promise<void> {
  for (const monitor of monitorsOf(stateDir)) process.kill(monitor, 'SIGKILL')
  for (let left = processesIn(name); left.length > 0; left = processesIn(name)) {
    for (const pid of left) if (isAlive(pid)) process.kill(pid, 'SIGKILL')
    await new Promise(resolve => setTimeout(resolve, 5))
  }
}

/** A shell as process 1 ignores signals that it does not handle, so each reaction is written down. */
export function shellOf({ prints = [], exitAfterMs, exitCode = 0, onTerm }: Script): string {
  const end = (signal: string, code: number) => `trap 'exit ${code}' ${signal}`
  const onSignal =
    onTerm === 'ignore' ? ["trap '' TERM"] : [end('TERM', onTerm?.exitCode ?? 143), end('USR1', 138)]
  const lines = prints.map(text => `echo '${text}'`)
  const rest =
    exitAfterMs === undefined
      ? ['while :; do sleep 1000 & wait $!; done']
      : [...(exitAfterMs > 0 ? [`sleep ${exitAfterMs / 1000}`] : []), `exit ${exitCode}`]
  return [...onSignal, ...lines, ...rest].join('; ')
}
