// Starting a program without a copy of this process: fork(2), which Node's spawn rests on, copies the page tables of a
// whole heap, and every page that either side then writes is copied too. posix_spawn(3) shares them until the program
// is there; meanwhile the calling thread, one of the pool, stands still.
import { constants } from 'node:os'
import { libc, SyscallError } from './libc.ts'

const raw = {
  spawn: libc.func(
    'int posix_spawnp(_Out_ int *pid, const char *file, void *actions, void *attributes, const char **argv, const char **envp)',
  ),
  initActions: libc.func('int posix_spawn_file_actions_init(void *actions)'),
  addDup2: libc.func('int posix_spawn_file_actions_adddup2(void *actions, int fd, int newFd)'),
  destroyActions: libc.func('int posix_spawn_file_actions_destroy(void *actions)'),
  initAttributes: libc.func('int posix_spawnattr_init(void *attributes)'),
  setFlags: libc.func('int posix_spawnattr_setflags(void *attributes, short flags)'),
  setSignalDefault: libc.func('int posix_spawnattr_setsigdefault(void *attributes, void *signals)'),
  setSignalMask: libc.func('int posix_spawnattr_setsigmask(void *attributes, void *signals)'),
  fcntl: libc.func('int fcntl(int fd, int command, int argument)'),
  close: libc.func('int close(int fd)'),
  waitpid: libc.func('int waitpid(int pid, void *status, int options)'),
}

/** More than any C library's posix_spawn_file_actions_t and posix_spawnattr_t (80 and 336 bytes with glibc). */
const OPAQUE_BYTES = 1_024
const SIGNAL_SET_BYTES = 128
const SET_SIGNAL_DEFAULT = 0x04
const SET_SIGNAL_MASK = 0x08
const DUPLICATE_CLOSE_ON_EXEC = 1030
const WNOHANG = 1

let attributes: Buffer | undefined

/** What Node ignores or blocks, the program shall not. */
function cleanSignals(): Buffer {
  if (attributes) return attributes
  attributes = Buffer.alloc(OPAQUE_BYTES)
  raw.initAttributes(attributes)
  raw.setSignalDefault(attributes, Buffer.alloc(SIGNAL_SET_BYTES, 0xff))
  raw.setSignalMask(attributes, Buffer.alloc(SIGNAL_SET_BYTES))
  raw.setFlags(attributes, SET_SIGNAL_DEFAULT | SET_SIGNAL_MASK)
  return attributes
}

export interface Program {
  /** Looked for in PATH when it has no slash. */
  file: string
  args: readonly string[]
  env: Readonly<Record<string, string>>
  /** What its descriptors 0, 1, 2 … are; they stay open here. It gets no other that is closed on exec. */
  descriptors: readonly number[]
}

const unreaped = new Set<number>()

/** Answers its process id. Rejects with SyscallError, ENOENT when it is not there. To be reaped. */
export async function spawnProgram({ file, args, env, descriptors }: Program): Promise<number> {
  const actions = Buffer.alloc(OPAQUE_BYTES)
  raw.initActions(actions)
  // None may be where another one goes.
  const lifted = descriptors.map(fd => raw.fcntl(fd, DUPLICATE_CLOSE_ON_EXEC, descriptors.length))
  try {
    for (const [target, fd] of lifted.entries()) raw.addDup2(actions, fd, target)
    return await spawnWith(actions, file, args, env)
  } finally {
    for (const fd of lifted) raw.close(fd)
    raw.destroyActions(actions)
  }
}

function spawnWith(
  actions: Buffer,
  file: string,
  args: readonly string[],
  env: Program['env'],
): Promise<number> {
  const pid = [0]
  const variables = Object.entries(env).map(([name, value]) => `${name}=${value}`)
  return new Promise((resolve, reject) => {
    const done = (failure: Error | null, error: number) => {
      if (failure) reject(failure)
      else if (error !== 0) reject(new SyscallError('posix_spawn', nameOf(error), file))
      else resolve(pid[0]!)
    }
    raw.spawn.async(pid, file, actions, cleanSignals(), [file, ...args, null], [...variables, null], done)
  })
}

/** Takes away what is left of a program that is about to end, at the latest with the next one. */
export function reapProgram(pid: number): void {
  unreaped.add(pid)
  for (const one of unreaped) if (raw.waitpid(one, null, WNOHANG) !== 0) unreaped.delete(one)
}

const nameOf = (errno: number) =>
  Object.entries(constants.errno).find(([, number]) => number === errno)?.[0] ?? `errno ${errno}`
