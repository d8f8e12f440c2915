// What this machine runs containers with, or one sentence about what it lacks.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { PlainError } from '../../base/plain-error.ts'

export type RuntimeKind = 'crun' | 'runc'

export interface RuntimeChoice {
  kind: RuntimeKind
  path: string
}

const FOLDERS = [...(process.env.PATH ?? '').split(':'), '/usr/local/sbin', '/usr/sbin', '/sbin', '/usr/bin']

/** Command → the package that brings it. */
const NEEDED: Record<string, string> = {
  conmon: 'conmon',
  nft: 'nftables',
  mount: 'mount',
  unshare: 'util-linux',
  tar: 'tar',
}

/** What is asked about a machine. */
export interface MachineFacts {
  /** The content of /proc/filesystems. */
  filesystems: string
  /** Where a command is; undefined when it is not installed. */
  find(command: string): string | undefined
}

const thisMachine = (): MachineFacts => ({
  filesystems: readFileSync('/proc/filesystems', 'utf8'),
  find: command => FOLDERS.map(folder => join(folder, command)).find(existsSync),
})

/** In the order of preference: crun starts a container in half of runc's time. */
const KINDS: readonly RuntimeKind[] = ['crun', 'runc']

/** crun where it is installed, else runc; or the one that is wanted. Throws PlainError. */
export function chooseRuntime(
  { filesystems, find }: MachineFacts = thisMachine(),
  wanted?: RuntimeKind,
): RuntimeChoice {
  for (const [command, from] of Object.entries(NEEDED)) if (!find(command)) throw missing(command, from)
  if (!/\boverlay\b/.test(filesystems)) {
    throw new PlainError(
      'Kubernode needs the overlay file system, which this kernel lacks: load it with "modprobe overlay".',
    )
  }
  for (const kind of wanted ? [wanted] : KINDS) {
    const path = find(kind)
    if (path) return { kind, path }
  }
  throw missing(wanted ?? 'crun', wanted ?? 'crun')
}

function missing(command: string, from: string): PlainError {
  return new PlainError(
    `Kubernode needs ${command} to run containers: install it with "apt-get install ${from}".`,
  )
}
