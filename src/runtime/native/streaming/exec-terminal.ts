// A command on a terminal. crun makes one and sends its master through a socket; runc does that only for commands that
// nobody waits for, so it gets a terminal of ours, copies between the two, and is told of sizes by SIGWINCH.
import { spawn } from 'node:child_process'
import { closeSync, constants, openSync } from 'node:fs'
import type { Socket } from 'node:net'
import { acceptOne, descriptorOf, openTerminal, receiveDescriptor } from '../syscall/file-descriptors.ts'
import { argumentsOf, type ExecTarget, exitOf, hasStarted } from './exec-command.ts'

export interface StartedOnTerminal {
  /** undefined when the command never came that far. */
  master: number | undefined
  exit: Promise<number>
  /** To be called when the size was set. */
  resized(): void
}

type Start = (target: ExecTarget, command: readonly string[], folder: string) => Promise<StartedOnTerminal>

const TERMINAL_WITHIN_MS = 10_000

export const startWithConsoleSocket: Start = async (target, command, folder) => {
  // The path of a socket may have 107 bytes only: the folder is named by a descriptor instead.
  const folderFd = openSync(folder, constants.O_RDONLY | constants.O_DIRECTORY)
  const consoleSocket = `/proc/${process.pid}/fd/${folderFd}/console`
  const over = new AbortController()
  const received = acceptOne(consoleSocket, over.signal).then(receiveTerminal)
  received.catch(() => {})
  const child = spawn(target.runtime, argumentsOf(target, command, folder, { consoleSocket }), {
    stdio: 'ignore',
  })
  const exit = exitOf(child)
  // A command that has started had its terminal before, though it may have ended in the meantime.
  const withoutTerminal = exit.then(() => (hasStarted(folder) ? received : undefined))
  const master = await Promise.race([received, withoutTerminal]).finally(() => closeSync(folderFd))
  if (master === undefined) over.abort(new Error('the command ended without a terminal'))
  return { master, exit, resized: () => {} }
}

async function receiveTerminal(socket: Socket): Promise<number> {
  try {
    return await receiveDescriptor(descriptorOf(socket), TERMINAL_WITHIN_MS)
  } finally {
    socket.destroy()
  }
}

export const startOnOwnTerminal: Start = async (target, command, folder) => {
  const { master, path } = openTerminal()
  const slave = openSync(path, constants.O_RDWR | constants.O_NOCTTY)
  const child = spawn(target.runtime, argumentsOf(target, command, folder, {}), {
    stdio: [slave, slave, slave],
  })
  closeSync(slave)
  return { master, exit: exitOf(child), resized: () => child.kill('SIGWINCH') }
}
