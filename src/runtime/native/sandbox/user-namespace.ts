// A user namespace for a pod, and the other namespaces that it owns. Only a process with one thread can go into a new
// one, which we are not: a child goes, is told its ids, and ends as soon as files pin what it made.
import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import type { Readable, Writable } from 'node:stream'
import type { IDMapping, NamespaceOption } from '../../cri/cri.generated.ts'
import { CRI_CODE, CriError } from '../../cri/cri-error.ts'
import { type NamespaceKind, pinOf } from '../syscall/namespaces.ts'

export interface UserIds {
  uids: readonly Required<IDMapping>[]
  gids: readonly Required<IDMapping>[]
}

/** The ids that the pod is to have; undefined for the machine's own. Throws CriError for what cannot be. */
export function userIdsOf(options: NamespaceOption | undefined): UserIds | undefined {
  const { mode = 'POD', uids = [], gids = [] } = options?.usernsOptions ?? { mode: 'NODE' as const }
  if (mode === 'NODE') {
    if (uids.length === 0 && gids.length === 0) return undefined
    throw refused(`user namespace mode NODE takes no ids`)
  }
  if (mode !== 'POD') throw refused(`unsupported user namespace mode: ${mode}`)
  if (!rootOf(uids) || !rootOf(gids))
    throw refused('a user namespace needs ids for its users and groups, and among them for 0')
  if (options!.network === 'NODE' || options!.ipc === 'NODE' || options!.pid === 'NODE')
    throw refused('a pod with a user namespace of its own cannot have other namespaces of the node')
  return { uids: uids.map(whole), gids: gids.map(whole) }
}

const whole = ({ hostId = 0, containerId = 0, length = 0 }: IDMapping) => ({ hostId, containerId, length })
const rootOf = (ids: readonly IDMapping[]) =>
  ids.find(({ containerId = 0, length = 0 }) => containerId === 0 && length > 0)
const refused = (message: string) => new CriError(CRI_CODE.invalidArgument, message)

/** The ids on the machine of the namespace's user and group 0. */
export function rootIds({ uids, gids }: UserIds): { uid: number; gid: number } {
  return { uid: rootOf(uids)!.hostId!, gid: rootOf(gids)!.hostId! }
}

const OPTION: Record<Exclude<NamespaceKind, 'mnt'>, string> = { net: '--net', ipc: '--ipc', uts: '--uts' }

/** Makes the user namespace and the others inside it, each pinned to the file that `fileOf` names. */
export async function makeUserNamespace(
  ids: UserIds,
  kinds: readonly Exclude<NamespaceKind, 'mnt'>[],
  fileOf: (kind: NamespaceKind | 'user') => string,
): Promise<void> {
  const options = ['--user', ...kinds.map(kind => OPTION[kind])]
  const child = spawn('unshare', [...options, 'cat'], { stdio: ['pipe', 'pipe', 'pipe'] })
  try {
    await isInside(child)
    writeFileSync(`/proc/${child.pid}/uid_map`, mapText(ids.uids))
    writeFileSync(`/proc/${child.pid}/gid_map`, mapText(ids.gids))
    for (const kind of ['user' as const, ...kinds]) pinOf(child.pid!, kind, fileOf(kind))
  } finally {
    child.kill('SIGKILL')
  }
}

/** What it is given comes back once it is there. */
async function isInside(child: ChildProcessByStdio<Writable, Readable, Readable>): Promise<void> {
  let words = ''
  child.stderr.setEncoding('utf8').on('data', chunk => {
    words += chunk
  })
  child.stdin.on('error', () => {})
  child.stdin.write('\n')
  const ended = once(child, 'close').then(() => {
    throw new CriError(CRI_CODE.unknown, `the user namespace could not be made: ${words.trim()}`)
  })
  ended.catch(() => {})
  await Promise.race([once(child.stdout, 'data'), ended])
}

/** As /proc/PID/uid_map wants it (user_namespaces(7)). */
export const mapText = (ids: readonly Required<IDMapping>[]): string =>
  ids.map(({ containerId, hostId, length }) => `${containerId} ${hostId} ${length}\n`).join('')
