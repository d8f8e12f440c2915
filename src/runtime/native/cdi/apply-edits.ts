// Puts CDI devices into a container's OCI spec. Upstream: container-device-interface pkg/cdi container-edits.go.
import type { Stats } from 'node:fs'
import { statSync } from 'node:fs'
import { CRI_CODE, CriError } from '../../cri/cri-error.ts'
import { deviceNumber } from '../containers/devices.ts'
import type { OciMount } from '../containers/oci-mounts.ts'
import type { OciSpec } from '../containers/oci-spec.ts'
import type { CdiDeviceNode, CdiHook, CdiMount, ContainerEdits } from './cdi-spec.ts'

interface OciUser {
  uid: number
  gid: number
  additionalGids: number[]
}

interface LinuxPart {
  devices: { path: string }[]
  resources: { devices: object[] }
}

type StatOf = (
  path: string,
) => Pick<Stats, 'rdev' | 'isBlockDevice' | 'isCharacterDevice' | 'isFIFO'> | undefined

const statOf: StatOf = path => statSync(path, { throwIfNoEntry: false })

/** The spec with all the edits, one after the other. Throws CriError for a device that the machine does not have. */
export function withEdits(spec: OciSpec, edits: readonly ContainerEdits[], stat: StatOf = statOf): OciSpec {
  return edits.reduce((edited, one) => withEdit(edited, one, stat), spec)
}

function withEdit(spec: OciSpec, edit: ContainerEdits, stat: StatOf): OciSpec {
  const linux = spec.linux as LinuxPart
  const user = spec.process.user as OciUser
  const nodes = (edit.deviceNodes ?? []).map(node => deviceOf(node, user, stat))
  const places = new Set(nodes.map(({ device }) => device.path))
  const mounts = (edit.mounts ?? []).map(mountOf)
  const covered = new Set(mounts.map(({ destination }) => destination))
  const gids = (edit.additionalGids ?? []).filter(gid => gid !== 0)
  return {
    ...spec,
    process: {
      ...spec.process,
      env: withVariables(spec.process.env as string[], edit.env ?? []),
      user: { ...user, additionalGids: [...new Set([...user.additionalGids, ...gids])] },
    },
    mounts: [...spec.mounts.filter(({ destination }) => !covered.has(destination)), ...mounts],
    linux: {
      ...linux,
      devices: [
        ...linux.devices.filter(({ path }) => !places.has(path)),
        ...nodes.map(({ device }) => device),
      ],
      resources: {
        ...linux.resources,
        devices: [...linux.resources.devices, ...nodes.flatMap(({ rule }) => rule ?? [])],
      },
    },
    ...(edit.hooks?.length && { hooks: withHooks(spec.hooks as OciHooks | undefined, edit.hooks) }),
  }
}

/** One that is there already gets the new value in its place. */
function withVariables(before: readonly string[], added: readonly string[]): string[] {
  const nameOf = (variable: string) => variable.slice(0, variable.indexOf('='))
  const merged = new Map(before.map(variable => [nameOf(variable), variable]))
  for (const variable of added) merged.set(nameOf(variable), variable)
  return [...merged.values()]
}

function deviceOf(
  { path, hostPath = path, permissions, fileMode, ...said }: CdiDeviceNode,
  user: OciUser,
  stat: StatOf,
) {
  const isKnown = said.type === 'p' || (said.type && said.major !== undefined)
  const { type, major, minor } = isKnown
    ? { type: said.type!, major: said.major ?? 0, minor: said.minor ?? 0 }
    : ofMachine(hostPath, said.type, stat)
  const uid = said.uid ?? (user.uid > 0 ? user.uid : undefined)
  const gid = said.gid ?? (user.gid > 0 ? user.gid : undefined)
  const device = {
    path,
    type,
    ...(type !== 'p' && { major, minor }),
    ...(fileMode !== undefined && { fileMode }),
    ...(uid !== undefined && { uid }),
    ...(gid !== undefined && { gid }),
  }
  const access = permissions || 'rwm'
  const rule = type === 'p' ? undefined : { allow: true, type, major, minor, access }
  return { device, rule }
}

function ofMachine(hostPath: string, wanted: string | undefined, stat: StatOf) {
  const found = stat(hostPath)
  if (!found) throw injectionFailed(`failed to stat CDI host device "${hostPath}": no such file or directory`)
  const type = found.isBlockDevice()
    ? 'b'
    : found.isCharacterDevice()
      ? 'c'
      : found.isFIFO()
        ? 'p'
        : undefined
  if (!type) throw injectionFailed(`failed to stat CDI host device "${hostPath}": not a device node`)
  if (wanted && wanted !== type && !(wanted === 'u' && type === 'c')) {
    const types = `CDI device (${hostPath}), host type mismatch (${wanted}, ${type})`
    throw injectionFailed(types)
  }
  return { type, ...deviceNumber(found.rdev) }
}

const injectionFailed = (text: string) =>
  new CriError(CRI_CODE.unknown, `CDI device injection failed: failed to inject devices: ${text}`)

const mountOf = ({ hostPath, containerPath, type, options }: CdiMount): OciMount => ({
  source: hostPath,
  destination: containerPath,
  type: type || 'bind',
  options: options?.length ? options : ['rbind'],
})

type OciHooks = Record<string, Omit<CdiHook, 'hookName'>[]>

function withHooks(before: OciHooks | undefined, added: readonly CdiHook[]): OciHooks {
  const hooks: OciHooks = { ...before }
  for (const { hookName, ...hook } of added) hooks[hookName] = [...(hooks[hookName] ?? []), hook]
  return hooks
}
