// spec.os and what Linux and Windows Pods may not have. Upstream: validateOS, validateLinux, validateWindows,
// validateWindowsSecurityContextOptions, validateWindowsHostProcessPod.
import { isDns1123Subdomain } from '../../names.ts'
import type { WindowsSecurityContextOptions } from '../../types/core-v1.ts'
import {
  each,
  type FieldError,
  forbiddenField,
  invalidValue,
  notSupported,
  required,
} from '../field-error.ts'
import { containersOf, type PodContext } from './pod-context.ts'

export function validateOs(context: PodContext): FieldError[] {
  const { spec, path } = context
  if (!spec.os) return []
  if (!spec.os.name) return [required(`${path}.os.name`)]
  if (spec.os.name === 'linux') return validateLinux(context)
  if (spec.os.name === 'windows') return validateWindows(context)
  return [notSupported(`${path}.os`, spec.os.name, ['linux', 'windows'])]
}

function validateLinux({ spec, path }: PodContext): FieldError[] {
  return [
    [spec.securityContext, path] as const,
    ...[...containersOf(spec, path)].map(([container, at]) => [container.securityContext, at] as const),
  ].flatMap(([context, at]) =>
    context?.windowsOptions
      ? [
          forbiddenField(
            `${at}.securityContext.windowsOptions`,
            'windows options cannot be set for a linux pod',
          ),
        ]
      : [],
  )
}

/** Field paths below the spec, in upstream's order. */
const NOT_ON_WINDOWS = [
  'securityContext.appArmorProfile',
  'securityContext.seLinuxOptions',
  'hostUsers',
  'hostPID',
  'hostIPC',
  'securityContext.seccompProfile',
  'securityContext.fsGroup',
  'securityContext.fsGroupChangePolicy',
  'securityContext.sysctls',
  'shareProcessNamespace',
  'securityContext.runAsUser',
  'securityContext.runAsGroup',
  'securityContext.supplementalGroups',
  'securityContext.supplementalGroupsPolicy',
  'securityContext.seLinuxChangePolicy',
]
const NOT_IN_WINDOWS_CONTAINERS = [
  'appArmorProfile',
  'seLinuxOptions',
  'seccompProfile',
  'capabilities',
  'readOnlyRootFilesystem',
  'privileged',
  'allowPrivilegeEscalation',
  'procMount',
  'runAsUser',
  'runAsGroup',
].map(name => `securityContext.${name}`)
/** Plain booleans: false is not set. */
const FLAGS = new Set(['hostPID', 'hostIPC'])

function validateWindows({ spec, path }: PodContext): FieldError[] {
  return [
    ...setFields(spec, NOT_ON_WINDOWS, path),
    ...[...containersOf(spec, path)].flatMap(([container, at]) =>
      setFields(container, NOT_IN_WINDOWS_CONTAINERS, at),
    ),
  ]
}

const setFields = (object: object, fields: readonly string[], path: string): FieldError[] =>
  fields
    .filter(field => {
      const value = field
        .split('.')
        .reduce<unknown>((part, name) => (part as Tree | undefined)?.[name], object)
      if (FLAGS.has(field)) return value === true
      return Array.isArray(value) && field.endsWith('sysctls') ? value.length > 0 : value !== undefined
    })
    .map(field => forbiddenField(`${path}.${field}`, 'cannot be set for a windows pod'))

type Tree = Record<string, unknown>

const LONGEST_SPEC_KIB = 64
const NET_BIOS = /^[^\\/:*?"<>|.][^\\/:*?"<>|]{0,14}$/
const DNS_LABEL = '[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?'
const DNS = new RegExp(`^${DNS_LABEL}(?:\\.${DNS_LABEL})*$`)

export function validateWindowsOptions(
  options: WindowsSecurityContextOptions | undefined,
  path: string,
): FieldError[] {
  if (!options) return []
  const { gmsaCredentialSpecName: name, gmsaCredentialSpec: spec, runAsUserName: user } = options
  const errors = name === undefined ? [] : each(`${path}.gmsaCredentialSpecName`, name, isDns1123Subdomain)
  const field = `${path}.gmsaCredentialSpec`
  if (spec === '') errors.push(invalidValue(field, spec, 'gmsaCredentialSpec cannot be an empty string'))
  else if (spec && Buffer.byteLength(spec) > LONGEST_SPEC_KIB * 1024)
    errors.push(invalidValue(field, spec, `gmsaCredentialSpec size must be under ${LONGEST_SPEC_KIB} KiB`))
  if (user === undefined) return errors
  return [
    ...errors,
    ...userNameProblems(user).map(detail => invalidValue(`${path}.runAsUserName`, user, detail)),
  ]
}

function userNameProblems(name: string): string[] {
  if (name === '') return ['runAsUserName cannot be an empty string']
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  if (/[\x00-\x1f\x7f]/.test(name)) return ['runAsUserName cannot contain control characters']
  const parts = name.split('\\')
  if (parts.length > 2) return ['runAsUserName cannot contain more than one backslash']
  const [user, domain] = parts.length === 1 ? [parts[0]!, undefined] : [parts[1]!, parts[0]!]
  const problems: string[] = []
  if ((domain ?? '').length >= 256)
    problems.push("runAsUserName's Domain length must be under 256 characters")
  if (domain !== undefined && !NET_BIOS.test(domain) && !DNS.test(domain))
    problems.push("runAsUserName's Domain doesn't match the NetBios nor the DNS format")
  if (user === '') problems.push("runAsUserName's User cannot be empty")
  else if (user.length > 104)
    problems.push("runAsUserName's User length must not be longer than 104 characters")
  if (/^[. ]+$/.test(user)) problems.push("runAsUserName's User cannot contain only periods or spaces")
  if (/["/\\:;|=,+*?<>@[\]]/.test(user)) {
    problems.push('runAsUserName\'s User cannot contain the following characters: "/\\:;|=,+*?<>@[]')
  }
  return problems
}

export function validateHostProcess({ spec, path }: PodContext): FieldError[] {
  const errors: FieldError[] = []
  const ofPod = spec.securityContext?.windowsOptions?.hostProcess
  const all = [...containersOf(spec, path)]
  let count = 0
  for (const [container, at] of all) {
    const own = container.securityContext?.windowsOptions?.hostProcess
    if (ofPod !== undefined && own !== undefined && ofPod !== own) {
      const detail = `pod hostProcess value must be identical if both are specified, was ${ofPod}`
      errors.push(invalidValue(`${at}.securityContext.windowsOptions.hostProcess`, own, detail))
    }
    if (own ?? ofPod) count++
  }
  if (count === 0) return errors
  if (count !== all.length) {
    const detail =
      'If pod contains any hostProcess containers then all containers must be HostProcess containers'
    errors.push(invalidValue(path, '', detail))
  }
  if (!spec.hostNetwork) {
    const detail = 'hostNetwork must be true if pod contains any hostProcess containers'
    errors.push(invalidValue(`${path}.hostNetwork`, false, detail))
  }
  return errors
}
