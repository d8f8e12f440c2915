// conmon keeps one container's output, exit code and (later) terminal, whatever happens to everything else.
// Its protocol: a byte on fd 4 lets it begin; one line of JSON on fd 3 tells the container's pid or what went wrong.
import { closeSync, constants, openSync, readFileSync, rmSync, writeSync } from 'node:fs'
import { open, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { CRI_CODE, CriError } from '../../cri/cri-error.ts'
import type { StateDir } from '../state-dir.ts'
import { makePipe, readPipe } from '../syscall/file-descriptors.ts'
import { reapProgram, spawnProgram } from '../syscall/spawn-program.ts'
import { OciFailure } from './oci-failure.ts'

export interface ConmonRequest {
  id: string
  name: string
  bundle: string
  logPath: string
  /** What the container is to run, for what is said when it cannot. */
  program: string
  /** Path of crun or runc. */
  runtime: string
  stdin: boolean
  stdinOnce: boolean
  tty: boolean
}

/** Creates the container through a new conmon; answers its init process. Throws OciFailure with the runtime's words. */
export async function createThroughConmon(dir: StateDir, request: ConmonRequest): Promise<number> {
  const { id, bundle } = request
  const args = [
    '-b',
    bundle,
    '-c',
    id,
    '-u',
    id,
    '-n',
    request.name,
    '-r',
    request.runtime,
    '--runtime-arg',
    `--root=${dir.ociRoot}`,
    '--exit-dir',
    dir.exits,
    '--persist-dir',
    bundle,
    '-l',
    `k8s-file:${request.logPath}`,
    '-p',
    join(bundle, 'pidfile'),
    '-P',
    join(bundle, 'conmon.pid'),
    '--socket-dir-path',
    dir.attach,
    '--log-level',
    'error',
    // Waiting for the disk before it tells the end would hold up the next container; no runtime waits for logs.
    '--no-sync-log',
    ...(request.stdin ? ['-i'] : []),
    ...(request.stdin && !request.stdinOnce ? ['--leave-stdin-open'] : []),
    ...(request.tty ? ['-t'] : []),
  ]
  const errorFile = join(bundle, 'conmon.errors')
  const { pid, sync } = await startConmon(args, errorFile)
  const line = await readLine(sync)
  sync.destroy()
  // It has left another process behind that goes on.
  reapProgram(pid)
  return parseAnswer(line, errorFile, request.program)
}

async function startConmon(
  args: readonly string[],
  errorFile: string,
): Promise<{ pid: number; sync: Readable }> {
  const [sync, start] = [makePipe(), makePipe()]
  const [nothing, errors] = [openSync('/dev/null', 'r+'), openSync(errorFile, 'w', 0o600)]
  const theirs = [sync.writeEnd, start.readEnd, nothing, errors]
  try {
    writeSync(start.writeEnd, '\0')
    const env = { PATH: process.env.PATH ?? '', _OCI_SYNCPIPE: '3', _OCI_STARTPIPE: '4' }
    const descriptors = [nothing, nothing, errors, sync.writeEnd, start.readEnd]
    const pid = await spawnProgram({ file: 'conmon', args, env, descriptors })
    return { pid, sync: readPipe(sync.readEnd) }
  } catch (error) {
    closeSync(sync.readEnd)
    throw error
  } finally {
    for (const fd of [...theirs, start.writeEnd]) closeSync(fd)
  }
}

function parseAnswer(text: string, errorFile: string, program: string): number {
  if (text.trim() === '') {
    const words = readFileSync(errorFile, 'utf8').trim()
    throw new CriError(CRI_CODE.unknown, `conmon ended without an answer: ${words}`)
  }
  const { pid, message } = JSON.parse(text.split('\n')[0]!) as {
    pid?: number
    data?: number
    message?: string
  }
  if (pid !== undefined && pid > 0) return pid
  throw new OciFailure(message ?? 'the runtime said nothing', program)
}

/** The monitor itself keeps the other end open for as long as it lives: only the first line is waited for. */
function readLine(stream: Readable): Promise<string> {
  stream.setEncoding('utf8')
  return new Promise(resolve => {
    let text = ''
    stream.on('data', chunk => {
      text += chunk
      if (text.includes('\n')) resolve(text)
    })
    stream.once('close', () => resolve(text))
  })
}

/**
 * crun's init reads from the fifo: where it is there already, nothing has to be waited for, and no other call comes in
 * between. False where it is not.
 */
function startAtOnce(path: string): boolean {
  let fifo: number
  try {
    fifo = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENXIO') return false
    throw error
  }
  try {
    writeSync(fifo, '0')
  } finally {
    closeSync(fifo)
  }
  rmSync(path, { force: true })
  return true
}

/** Lets a created container run, by what its init waits for: the fifo that crun and runc both make. */
export async function startByFifo(ociRoot: string, id: string, isRunc: boolean): Promise<void> {
  const path = join(ociRoot, id, 'exec.fifo')
  if (!isRunc && startAtOnce(path)) return
  const fifo = await open(path, isRunc ? 'r' : 'w')
  try {
    if (isRunc) await fifo.read(Buffer.alloc(1), 0, 1)
    else await fifo.write('0')
  } finally {
    await fifo.close()
  }
  await unlink(path).catch(() => {})
}
