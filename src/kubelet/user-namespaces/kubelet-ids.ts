// The ids of the machine that pods may be given: those that /etc/subuid and /etc/subgid (or what stands behind
// getsubids(1)) give to the user "kubelet", or else all but the machine's own. Upstream: getKubeletMappings.
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { PlainError } from '../../base/plain-error.ts'

export interface IdSpan {
  first: number
  length: number
}

export const DEFAULT_IDS_PER_POD = 65_536
const KUBELET_USER = 'kubelet'
const ALL_IDS = 2 ** 32

export interface SubordinateIds {
  /** Whether the machine has the user. */
  hasUser: boolean
  /** What getsubids prints for the user's own ids and for the groups'; undefined without the program. */
  uids?: string
  gids?: string
}

/** Throws PlainError when what is configured cannot be used. */
export function kubeletIds(found: SubordinateIds, idsPerPod: number, maxPods: number): IdSpan {
  const { hasUser, uids, gids } = found
  if (!hasUser || uids === undefined || gids === undefined)
    // The last id of all is no id: the kernel maps no range that reaches it.
    return { first: idsPerPod, length: ALL_IDS - 2 * idsPerPod }
  if (uids !== gids) throw unusable(`mismatched subuids and subgids for user "${KUBELET_USER}"`)
  const span = parseSpan(uids)
  const problem = unsuitable(span, idsPerPod, maxPods)
  if (problem) throw unusable(problem)
  return span
}

/** One line: '0: kubelet 65536 2147483648'. Upstream: parseGetSubIdsOutput. */
function parseSpan(text: string): IdSpan {
  const lines = text.replace(/^\n+|\n+$/g, '').split('\n')
  if (lines.length !== 1)
    throw unusable(`error parsing line ${JSON.stringify(text)}: it must contain only one line`)
  const [, , first, length, ...rest] = lines[0]!.trim().split(/\s+/)
  if (!isId(first) || !isId(length) || rest.length > 0)
    throw unusable(`invalid line ${JSON.stringify(lines[0])}`)
  return { first: Number(first), length: Number(length) }
}

const isId = (text: string | undefined): text is string =>
  text !== undefined && /^\d+$/.test(text) && Number(text) < ALL_IDS

/** Upstream: MakeUserNsManager. */
function unsuitable({ first, length }: IdSpan, idsPerPod: number, maxPods: number): string | undefined {
  if (first % idsPerPod !== 0) return `kubelet user assigned ID ${first} is not a multiple of ${idsPerPod}`
  if (first < idsPerPod) return `kubelet user assigned ID ${first} must be greater or equal to ${idsPerPod}`
  if (length % idsPerPod !== 0)
    return `kubelet user assigned IDs length ${length} is not a multiple of ${idsPerPod}`
  if (length / idsPerPod < maxPods)
    return `kubelet user assigned IDs are not enough to support ${maxPods} pods`
  return undefined
}

const unusable = (why: string) =>
  new PlainError(`The ids for user namespaces of pods cannot be used (see subuid(5)): ${why}.`)

/** As this machine has it. A user without an answer of getsubids is an error there too. */
export function readSubordinateIds(passwd = '/etc/passwd'): SubordinateIds {
  const hasUser = readFileSync(passwd, 'utf8')
    .split('\n')
    .some(line => line.startsWith(`${KUBELET_USER}:`))
  if (!hasUser) return { hasUser }
  const ask = (...options: string[]) =>
    execFileSync('getsubids', [...options, KUBELET_USER], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    })
  try {
    return { hasUser, uids: ask(), gids: ask('-g') }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { hasUser }
    throw unusable(`error retrieving additional uids for user "${KUBELET_USER}": ${(error as Error).message}`)
  }
}
