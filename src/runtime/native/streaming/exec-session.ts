// Runs a command in a running container with the client's streams: over pipes, or over a
// terminal. The command goes on when the client hangs up, unless it minds its streams' end.
import { spawn } from 'node:child_process'
import { closeSync, mkdtempSync, rmSync } from 'node:fs'
import type { Socket } from 'node:net'
import { join } from 'node:path'
import { type Readable, Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Clock } from '../../../base/clock.ts'
import { makePipe, readPipe, setTerminalSize, streamOf, writePipe } from '../syscall/file-descriptors.ts'
import { copyOutput } from './copy-stream.ts'
import { argumentsOf, type ExecTarget, exitOf, hasStarted, neverStarted } from './exec-command.ts'
import { startOnOwnTerminal, startWithConsoleSocket } from './exec-terminal.ts'
import type { CommandEnd, CommandStreams, Perform } from './remote-command.ts'

const PID_FILE_WITHIN_MS = 100

export function execSession(
  target: ExecTarget,
  command: readonly string[],
  { clock, tty }: { clock: Clock; tty: boolean },
): Perform {
  return async (streams, signal) => {
    const folder = mkdtempSync(join(target.execs, 'stream-'))
    try {
      const exitCode = tty
        ? await withTerminal(target, command, folder, streams, signal)
        : await withPipes(target, command, folder, streams, signal, clock)
      if (exitCode !== 0 && !hasStarted(folder)) throw neverStarted(folder, exitCode, command[0] ?? '')
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
  if (signal.aborted) hangUp()
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
  await new Promise<void>(resolve => {
    stderr.once('readable', resolve)
    stderr.once('close', resolve)
  })
  if (hasStarted(folder)) return true
  const timer = new AbortController()
  const ended = await Promise.race([
    exit.then(() => true),
    clock.sleep(PID_FILE_WITHIN_MS, timer.signal).then(() => false),
  ])
  timer.abort()
  return !ended || hasStarted(folder)
}

async function withTerminal(
  target: ExecTarget,
  command: readonly string[],
  folder: string,
  streams: CommandStreams,
  signal: AbortSignal,
): Promise<number> {
  const start = target.isRunc ? startOnOwnTerminal : startWithConsoleSocket
  const { master, exit, resized } = await start(target, command, folder)
  if (master === undefined) return exit
  const terminal = streamOf(master)
  terminal.on('error', () => {})
  streams.onResize(size => {
    if (terminal.destroyed) return
    setTerminalSize(master, size)
    resized()
  })
  const hangUp = () => terminal.destroy()
  signal.addEventListener('abort', hangUp, { once: true })
  if (signal.aborted) hangUp()
  // The end of the input is no end of the terminal.
  if (streams.stdin) sendInput(streams.stdin, writerOf(terminal))
  await Promise.all([exit, copyOutput(terminal, streams.stdout)])
  signal.removeEventListener('abort', hangUp)
  terminal.destroy()
  return exit
}

function writerOf(terminal: Socket): Writable {
  return new Writable({ write: (chunk, _encoding, done) => void terminal.write(chunk, done) })
}

/** A command need not read what it is sent. */
function sendInput(source: Readable, target: Writable): void {
  pipeline(source, target).catch(() => source.resume())
}
