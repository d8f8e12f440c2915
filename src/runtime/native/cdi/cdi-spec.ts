// What vendors write about their devices. Container Device Interface, SPEC.md 1.0; intelRdt is left out.

export interface CdiSpec {
  cdiVersion: string
  /** 'vendor.com/class' */
  kind: string
  devices: CdiDevice[]
  /** For containers that get any of the devices. */
  containerEdits?: ContainerEdits
}

export interface CdiDevice {
  name: string
  containerEdits: ContainerEdits
}

export interface ContainerEdits {
  /** 'NAME=value' */
  env?: string[]
  deviceNodes?: CdiDeviceNode[]
  mounts?: CdiMount[]
  hooks?: CdiHook[]
  additionalGids?: number[]
}

/** What is left out is as on the machine. */
export interface CdiDeviceNode {
  path: string
  /** Default: `path`. */
  hostPath?: string
  type?: string
  major?: number
  minor?: number
  fileMode?: number
  /** Of 'rwm'; default all. */
  permissions?: string
  uid?: number
  gid?: number
}

export interface CdiMount {
  hostPath: string
  containerPath: string
  type?: string
  options?: string[]
}

export interface CdiHook {
  hookName: string
  path: string
  args?: string[]
  env?: string[]
  timeout?: number
}

export const HOOK_NAMES = [
  'prestart',
  'createRuntime',
  'createContainer',
  'startContainer',
  'poststart',
  'poststop',
]

const KIND = /^[A-Za-z][A-Za-z0-9_.-]*\/[A-Za-z](?:[A-Za-z0-9_.-]*[A-Za-z0-9])?$/
const NAME = /^[A-Za-z0-9](?:[A-Za-z0-9_.:-]*[A-Za-z0-9])?$/

/** Undefined for what is no such spec: its devices are as if it were not there. */
export function cdiSpecOf(value: unknown): CdiSpec | undefined {
  const spec = value as Partial<CdiSpec> | null
  if (typeof spec !== 'object' || spec === null) return undefined
  const { cdiVersion, kind, devices, containerEdits } = spec
  if (typeof cdiVersion !== 'string' || typeof kind !== 'string' || !KIND.test(kind)) return undefined
  if (!Array.isArray(devices) || devices.length === 0) return undefined
  const good = devices.every(({ name, containerEdits: edits }) => NAME.test(name) && edits && isGood(edits))
  const isUnique = new Set(devices.map(({ name }) => name)).size === devices.length
  return good && isUnique && (!containerEdits || isGood(containerEdits)) ? (spec as CdiSpec) : undefined
}

function isGood({ env = [], deviceNodes = [], mounts = [], hooks = [] }: ContainerEdits): boolean {
  return (
    env.every(variable => variable.indexOf('=') > 0) &&
    deviceNodes.every(({ path }) => typeof path === 'string' && path !== '') &&
    mounts.every(({ hostPath, containerPath }) => hostPath && containerPath) &&
    hooks.every(({ hookName, path }) => HOOK_NAMES.includes(hookName) && path)
  )
}
