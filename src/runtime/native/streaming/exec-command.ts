// The OCI runtime's `exec` as a command line, and what it leaves in the folder of a command.
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { execFailure } from '../containers/oci-failure.ts'

export interface ExecTarget {
  /** Path of crun or runc. */
  runtime: string
  isRunc: boolean
  ociRoot: string
  /** Where a folder for the command is made. */
  execs: string
  /** The folder of the container, with its OCI spec. */
  bundle: string
  containerId: string
}

export function argumentsOf(
  { ociRoot, bundle, containerId }: ExecTarget,
  command: readonly string[],
  folder: string,
  terminal: { consoleSocket?: string } | undefined = undefined,
): string[] {
  const [log, pidFile, process] = ['log', 'pid', 'process.json'].map(name => join(folder, name)) as [
    string,
    string,
    string,
  ]
  writeFileSync(process, JSON.stringify(processOf(bundle, command, terminal !== undefined)))
  const options = [`--pid-file=${pidFile}`, `--process=${process}`]
  if (terminal) options.push('--tty')
  if (terminal?.consoleSocket) options.push(`--console-socket=${terminal.consoleSocket}`)
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

export async function exitOf(child: ChildProcess): Promise<number> {
  const [code] = (await once(child, 'exit')) as [number | null]
  return code ?? 137
}

/** Whether the command itself ever ran. */
export const hasStarted = (folder: string): boolean => existsSync(join(folder, 'pid'))

/** The OCI runtime's own words, as containerd tells them. */
export function neverStarted(folder: string, exitCode: number, program: string): Error {
  const log = join(folder, 'log')
  const lines = existsSync(log) ? readFileSync(log, 'utf8').split('\n') : []
  const words = lines.flatMap(line => messageOf(line, program)).join('; ') || `exit code ${exitCode}`
  return new Error(`error executing command in container: failed to exec in container: ${words}`)
}

function messageOf(line: string, program: string): string[] {
  try {
    const { msg, level } = JSON.parse(line) as { msg?: string; level?: string }
    return msg && (level === undefined || level === 'error') ? [execFailure(msg, program)] : []
  } catch {
    return []
  }
}
