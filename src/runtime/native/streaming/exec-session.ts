// Runs a command in a running container with the client's streams: over pipes, or over a terminal whose master the OCI
// runtime sends through a socket. The command goes on when the client hangs up, unless it minds its streams' end.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import type { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Readable, Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Clock } from '../../../base/clock.ts'
import {
  acceptOne,
  descriptorOf,
  makePipe,
  readPipe,
  receiveDescriptor,
  setTerminalSize,
  streamOf,
  writePipe,
} from '../syscall/file-descriptors.ts'
import { copyOutput } from './copy-stream.ts'
import type { CommandEnd, CommandStreams, Perform } from './remote-command.ts'

export interface ExecTarget {
  /** Path of crun or runc. */
  runtime: string
  ociRoot: string
  /** The folder of the container, with its OCI spec. */
  bundle: string
  containerId: string
}

const TERMINAL_WITHIN_MS = 10_000
const PID_FILE_WITHIN_MS = 100

export function execSession(
  target: ExecTarget,
  command: readonly string[],
  { clock, tty }: { clock: Clock; tty: boolean },
): Perform {
  return async (streams, signal) => {
    // Short, because the path of a socket in it may have 107 bytes only.
    const folder = mkdtempSync(join(tmpdir(), 'kubernode-exec-'))
    try {
      const exitCode = tty
        ? await withTerminal(target, command, folder, streams, signal)
        : await withPipes(target, command, folder, streams, signal, clock)
      if (exitCode !== 0 && !existsSync(join(folder, 'pid'))) throw neverStarted(folder, exitCode)
      return { exitCode, command } satisfies CommandEnd
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  }
}

async function withPipes(
  target: ExecTarget,
  command: readonly string[],
  folder: string,
  streams: CommandStreams,
  signal: AbortSignal,
  clock: Clock,
): Promise<number> {
  const theirs: number[] = []
  const ours: Socket[] = []
  const pipeTo = (direction: 'in' | 'out') => {
    const { readEnd, writeEnd } = makePipe()
    theirs.push(direction === 'in' ? readEnd : writeEnd)
    const own = direction === 'in' ? writePipe(writeEnd) : readPipe(readEnd)
    ours.push(own)
    return { own, fd: theirs.at(-1)! }
  }
  const input = streams.stdin && pipeTo('in')
  const outputs = (['stdout', 'stderr'] as const).map(name => streams[name] && { name, ...pipeTo('out') })
  const child = spawn(target.runtime, argumentsOf(target, command, folder), {
    stdio: [input?.fd ?? 'ignore', outputs[0]?.fd ?? 'ignore', outputs[1]?.fd ?? 'ignore'],
  })
  for (const fd of theirs) closeSync(fd)
  const hangUp = () => {
    for (const stream of ours) stream.destroy()
  }
  signal.addEventListener('abort', hangUp, { once: true })
  if (input) sendInput(streams.stdin!, input.own)
  const exit = exitOf(child)
  const copied = Promise.all(
    outputs.map(async output => {
      if (!output) return
      const { name, own } = output
      const isCommands = name === 'stdout' || (await saidByCommand(own, folder, exit, clock))
      await copyOutput(own, isCommands ? streams[name] : undefined)
      if (!isCommands) streams[name]!.end()
    }),
  )
  copied.catch(() => {})
  const exitCode = await exit
  input?.own.destroy()
  await copied
  signal.removeEventListener('abort', hangUp)
  return exitCode
}

/**
 * The OCI runtime has the command's stderr until the command runs, and complains there too when it cannot run it. The
 * pid file tells them apart; it may come a moment after the first words.
 */
async function saidByCommand(
  stderr: Readable,
  folder: string,
  exit: Promise<number>,
  clock: Clock,
): Promise<boolean> {
  const hasStarted = () => existsSync(join(folder, 'pid'))
  await new Promise<void>(resolve => {
    stderr.once('readable', resolve)
    stderr.once('close', resolve)
  })
  if (hasStarted()) return true
  const timer = new AbortController()
  const ended = await Promise.race([
    exit.then(() => true),
    clock.sleep(PID_FILE_WITHIN_MS, timer.signal).then(() => false),
  ])
  timer.abort()
  return !ended || hasStarted()
}

async function withTerminal(
  target: ExecTarget,
  command: readonly string[],
  folder: string,
  streams: CommandStreams,
  signal: AbortSignal,
): Promise<number> {
  const path = join(folder, 'console')
  const ended = new AbortController()
  const connected = acceptOne(path, ended.signal)
  connected.catch(() => {})
  const child = spawn(target.runtime, argumentsOf(target, command, folder, path), { stdio: 'ignore' })
  const exit = exitOf(child)
  const master = await Promise.race([connected.then(receiveTerminal), exit.then(() => undefined)])
  if (master === undefined) {
    ended.abort(new Error('the command ended without a terminal'))
    return exit
  }
  streams.onResize(size => {
    if (!terminal.destroyed) setTerminalSize(master, size)
  })
  const terminal = streamOf(master)
  terminal.on('error', () => {})
  const hangUp = () => terminal.destroy()
  signal.addEventListener('abort', hangUp, { once: true })
  // The end of the input is no end of the terminal.
  if (streams.stdin) sendInput(streams.stdin, writerOf(terminal))
  await Promise.all([exit, copyOutput(terminal, streams.stdout)])
  signal.removeEventListener('abort', hangUp)
  terminal.destroy()
  return exit
}

async function receiveTerminal(socket: Socket): Promise<number> {
  try {
    return await receiveDescriptor(descriptorOf(socket), TERMINAL_WITHIN_MS)
  } finally {
    socket.destroy()
  }
}

function writerOf(terminal: Socket): Writable {
  return new Writable({ write: (chunk, _encoding, done) => void terminal.write(chunk, done) })
}

/** A command need not read what it is sent. */
function sendInput(source: Readable, target: Writable): void {
  pipeline(source, target).catch(() => source.resume())
}

function argumentsOf(
  { ociRoot, bundle, containerId }: ExecTarget,
  command: readonly string[],
  folder: string,
  consoleSocket?: string,
): string[] {
  const [log, pidFile, process] = ['log', 'pid', 'process.json'].map(name => join(folder, name)) as [
    string,
    string,
    string,
  ]
  writeFileSync(process, JSON.stringify(processOf(bundle, command, consoleSocket !== undefined)))
  const options = [`--pid-file=${pidFile}`, `--process=${process}`]
  if (consoleSocket) options.push('--tty', `--console-socket=${consoleSocket}`)
  return [`--root=${ociRoot}`, `--log=${log}`, '--log-format=json', 'exec', ...options, containerId]
}

/** The container's own process with another command, as containerd makes it. */
function processOf(bundle: string, args: readonly string[], terminal: boolean): object {
  const { process } = JSON.parse(readFileSync(join(bundle, 'config.json'), 'utf8')) as {
    process: { env: string[] }
  }
  const hasTerm = process.env.some(variable => variable.startsWith('TERM='))
  return {
    ...process,
    args,
    terminal,
    env: terminal && !hasTerm ? [...process.env, 'TERM=xterm'] : process.env,
  }
}

async function exitOf(child: ChildProcess): Promise<number> {
  const [code] = (await once(child, 'exit')) as [number | null]
  return code ?? 137
}

/** The OCI runtime's own words, as containerd tells them. */
function neverStarted(folder: string, exitCode: number): Error {
  const log = join(folder, 'log')
  const lines = existsSync(log) ? readFileSync(log, 'utf8').split('\n') : []
  const words = lines.flatMap(messageOf).join('; ') || `exit code ${exitCode}`
  return new Error(`error executing command in container: failed to exec in container: ${words}`)
}

function messageOf(line: string): string[] {
  try {
    const { msg, level } = JSON.parse(line) as { msg?: string; level?: string }
    return msg && (level === undefined || level === 'error') ? [asRunc(msg)] : []
  } catch {
    return []
  }
}

/** crun's words for a missing program, in those that people and tests look for. */
function asRunc(message: string): string {
  const [, program] = /^executable file `(.*)` not found/.exec(message) ?? []
  const reason = program ? `exec: ${JSON.stringify(program)}: executable file not found in $PATH` : message
  return `OCI runtime exec failed: exec failed: unable to start container process: ${reason}: unknown`
}
