// Runs one command in a running container and collects what it says. Upstream: CRI ExecSync.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import type { Clock } from '../../../base/clock.ts'
import type { ExecSyncResponse } from '../../cri/cri.generated.ts'
import { CRI_CODE, CriError } from '../../cri/cri-error.ts'
import { execFailure } from './oci-failure.ts'

/** More than this of each stream is dropped, so that a talkative probe cannot fill the memory. */
const MOST_BYTES = 16 * 1024 * 1024

export interface ExecSyncOptions {
  runtime: string
  ociRoot: string
  /** Where a folder for the command is made. */
  execs: string
  id: string
  command: readonly string[]
  /** 0: as long as it takes. */
  timeoutSeconds: number
  clock: Clock
}

export async function execSync(options: ExecSyncOptions): Promise<ExecSyncResponse> {
  const { runtime, ociRoot, execs, id, command, timeoutSeconds, clock } = options
  const folder = mkdtempSync(join(execs, 'sync-'))
  const pidFile = join(folder, 'pid')
  try {
    const child = spawn(runtime, [`--root=${ociRoot}`, 'exec', '--pid-file', pidFile, id, ...command], {
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const output = Promise.all([collect(child.stdout), collect(child.stderr)])
    const timer = new AbortController()
    let timedOut = false
    if (timeoutSeconds > 0) {
      clock.sleep(timeoutSeconds * 1_000, timer.signal).then(
        () => {
          timedOut = true
          kill(pidFile)
          child.kill('SIGKILL')
        },
        () => {},
      )
    }
    const [code] = (await once(child, 'exit')) as [number | null]
    timer.abort()
    if (timedOut) {
      throw new CriError(4, `command ${JSON.stringify(command)} timed out after ${timeoutSeconds}s`)
    }
    const [stdout, stderr] = await output
    if (code !== 0 && !existsSync(pidFile)) throw neverStarted(stderr.toString(), command[0] ?? '')
    return { stdout, stderr, exitCode: code ?? 255 }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** The command did not run at all: what is on stderr is the OCI runtime's. */
function neverStarted(words: string, program: string): CriError {
  return new CriError(CRI_CODE.unknown, `failed to exec in container: ${execFailure(words, program)}`)
}

/** The command itself: killing the client alone would leave it running inside. */
function kill(pidFile: string): void {
  if (!existsSync(pidFile)) return
  try {
    process.kill(Number(readFileSync(pidFile, 'utf8')), 'SIGKILL')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

async function collect(stream: Readable): Promise<Buffer> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    if (size < MOST_BYTES) chunks.push(chunk)
    size += chunk.length
  }
  return Buffer.concat(chunks).subarray(0, MOST_BYTES)
}
