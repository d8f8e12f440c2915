// What the level 'restricted' of the Pod Security Standards asks on top of 'baseline'.
// Upstream: pod-security-admission/policy/check_*.go.
import type { Volume } from '../../../api/types/core-v1.ts'
import { badSeccomp, seccompProfile } from './baseline-checks.ts'
import {
  type CheckPod,
  containersText,
  hasOwnUsers,
  namesWhere,
  type PodCheck,
  quoted,
  settersText,
  sortedQuoted,
  unlessWindows,
} from './check.ts'

const allowPrivilegeEscalation: CheckPod = ({ spec }) => {
  const names = namesWhere(spec, ({ securityContext }) => securityContext?.allowPrivilegeEscalation !== false)
  if (names.length === 0) return undefined
  return {
    reason: 'allowPrivilegeEscalation != false',
    detail: `${containersText(names)} must set securityContext.allowPrivilegeEscalation=false`,
  }
}

const capabilities: CheckPod = ({ spec }) => {
  const added: string[] = []
  const keeping = namesWhere(
    spec,
    ({ securityContext }) => !securityContext?.capabilities?.drop?.includes('ALL'),
  )
  const adding = namesWhere(spec, ({ securityContext }) => {
    const bad = (securityContext?.capabilities?.add ?? []).filter(name => name !== 'NET_BIND_SERVICE')
    added.push(...bad)
    return bad.length > 0
  })
  const details = [
    ...(keeping.length > 0
      ? [`${containersText(keeping)} must set securityContext.capabilities.drop=["ALL"]`]
      : []),
    ...(adding.length > 0
      ? [
          `${containersText(adding)} must not include ${sortedQuoted(added)} in securityContext.capabilities.add`,
        ]
      : []),
  ]
  return details.length > 0 ? { reason: 'unrestricted capabilities', detail: details.join('; ') } : undefined
}

const ALLOWED_VOLUMES = [
  'configMap',
  'csi',
  'downwardAPI',
  'emptyDir',
  'ephemeral',
  'image',
  'persistentVolumeClaim',
  'projected',
  'secret',
]

const volumeTypes: CheckPod = ({ spec }) => {
  const bad = (spec.volumes ?? []).filter(volume => !ALLOWED_VOLUMES.includes(typeOf(volume)))
  if (bad.length === 0) return undefined
  const types = new Set(bad.map(typeOf))
  return {
    reason: 'restricted volume types',
    detail: `${bad.length === 1 ? 'volume' : 'volumes'} ${quoted(bad.map(({ name }) => name))} ${bad.length === 1 ? 'uses' : 'use'} restricted volume ${types.size === 1 ? 'type' : 'types'} ${sortedQuoted(types)}`,
  }
}

const typeOf = (volume: Volume) => Object.keys(volume).find(field => field !== 'name') ?? 'unknown'

const runAsNonRoot: CheckPod = ({ spec }) => {
  const ofPod = spec.securityContext?.runAsNonRoot
  const setters = settersText(
    ofPod === false,
    namesWhere(spec, ({ securityContext }) => securityContext?.runAsNonRoot === false),
  )
  const reason = 'runAsNonRoot != true'
  if (setters) return { reason, detail: `${setters} must not set securityContext.runAsNonRoot=false` }
  if (ofPod) return undefined
  const silent = namesWhere(spec, ({ securityContext }) => securityContext?.runAsNonRoot === undefined)
  if (silent.length === 0) return undefined
  return { reason, detail: `pod or ${containersText(silent)} must set securityContext.runAsNonRoot=true` }
}

const runAsUser: CheckPod = ({ spec }) => {
  const setters = settersText(
    spec.securityContext?.runAsUser === 0,
    namesWhere(spec, ({ securityContext }) => securityContext?.runAsUser === 0),
  )
  return setters ? { reason: 'runAsUser=0', detail: `${setters} must not set runAsUser=0` } : undefined
}

const seccomp: CheckPod = pod => {
  const { spec } = pod
  const wrong = seccompProfile(pod)
  if (wrong) return wrong
  if (spec.securityContext?.seccompProfile && !badSeccomp(pod).setters) return undefined
  const silent = namesWhere(spec, ({ securityContext }) => !securityContext?.seccompProfile)
  if (silent.length === 0) return undefined
  return {
    reason: 'seccompProfile',
    detail: `pod or ${containersText(silent)} must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost"`,
  }
}

const unlessOwnUsers =
  (check: CheckPod): CheckPod =>
  pod =>
    hasOwnUsers(pod) ? undefined : check(pod)

export const restrictedChecks: readonly PodCheck[] = [
  {
    id: 'allowPrivilegeEscalation',
    versions: [
      [8, allowPrivilegeEscalation],
      [25, unlessWindows(allowPrivilegeEscalation)],
    ],
  },
  {
    id: 'capabilities_restricted',
    overrides: 'capabilities_baseline',
    versions: [
      [22, capabilities],
      [25, unlessWindows(capabilities)],
    ],
  },
  { id: 'restrictedVolumes', overrides: 'hostPathVolumes', versions: [[0, volumeTypes]] },
  {
    id: 'runAsNonRoot',
    versions: [
      [0, runAsNonRoot],
      [35, unlessOwnUsers(runAsNonRoot)],
    ],
  },
  {
    id: 'runAsUser',
    versions: [
      [23, runAsUser],
      [35, unlessOwnUsers(runAsUser)],
    ],
  },
  {
    id: 'seccompProfile_restricted',
    overrides: 'seccompProfile_baseline',
    versions: [
      [19, seccomp],
      [25, unlessWindows(seccomp)],
    ],
  },
]
