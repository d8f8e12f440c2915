// conmon keeps one container's output, exit code and (later) terminal, whatever happens to everything else.
// Its protocol: a byte on fd 4 lets it begin; one line of JSON on fd 3 tells the container's pid or what went wrong.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, constants, openSync, rmSync, writeSync } from 'node:fs'
import { open, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import type { Duplex, Readable } from 'node:stream'
import { CRI_CODE, CriError } from '../../cri/cri-error.ts'
import type { StateDir } from '../state-dir.ts'
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
  const child = spawn('conmon', args, {
    stdio: ['ignore', 'ignore', 'pipe', 'pipe', 'pipe'],
    env: { PATH: process.env.PATH ?? '', _OCI_SYNCPIPE: '3', _OCI_STARTPIPE: '4' },
  })
  const sync = child.stdio[3] as Readable
  const errors = readAll(child.stderr!)
  const answer = readLine(sync)
  ;(child.stdio[4] as Duplex).end('\0')
  const [line] = await Promise.all([answer, once(child, 'exit')])
  sync.destroy()
  return parseAnswer(line, errors, request.program)
}

async function parseAnswer(text: string, errors: Promise<string>, program: string): Promise<number> {
  if (text.trim() === '')
    throw new CriError(CRI_CODE.unknown, `conmon ended without an answer: ${(await errors).trim()}`)
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

async function readAll(stream: Readable): Promise<string> {
  stream.setEncoding('utf8')
  let text = ''
  for await (const chunk of stream) text += chunk
  return text
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
