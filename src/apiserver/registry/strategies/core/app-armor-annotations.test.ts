import assert from 'node:assert/strict'
import test from 'node:test'
import type { AppArmorProfile, Pod } from '../../../../api/types/core-v1.ts'
import { syncAppArmor } from './app-armor-annotations.ts'

const KEY = 'container.apparmor.security.beta.kubernetes.io/c'
const WARNING = `metadata.annotations[${KEY}]: deprecated since v1.30; use the "appArmorProfile" field instead`
const local = (localhostProfile: string): AppArmorProfile => ({ type: 'Localhost', localhostProfile })

interface Profiles {
  pods?: AppArmorProfile
  own?: AppArmorProfile
  annotation?: string
  os?: string
}

function synced({ pods, own, annotation, os }: Profiles) {
  const pod = {
    metadata: annotation === undefined ? {} : { annotations: { [KEY]: annotation } },
    spec: {
      ...(os && { os: { name: os } }),
      ...(pods && { securityContext: { appArmorProfile: pods } }),
      containers: [{ name: 'c', ...(own && { securityContext: { appArmorProfile: own } }) }],
    },
  } as unknown as Pod
  const warnings: string[] = []
  syncAppArmor(pod, text => warnings.push(text))
  return {
    annotation: pod.metadata.annotations?.[KEY],
    own: pod.spec.containers[0]!.securityContext?.appArmorProfile,
    warnings,
  }
}

const cases: [what: string, given: Profiles, annotation?: string, own?: AppArmorProfile, warns?: boolean][] =
  [
    ['nothing stays nothing', {}],
    [
      'a field becomes an annotation',
      { own: { type: 'RuntimeDefault' } },
      'runtime/default',
      { type: 'RuntimeDefault' },
    ],
    ['a profile of the node too', { own: local('p') }, 'localhost/p', local('p')],
    ['the pod’s becomes each container’s annotation', { pods: { type: 'Unconfined' } }, 'unconfined'],
    ['an annotation becomes a field', { annotation: 'localhost/p' }, 'localhost/p', local('p'), true],
    [
      'not one that the pod has already',
      { annotation: 'unconfined', pods: { type: 'Unconfined' } },
      'unconfined',
    ],
    [
      'one that differs from the pod’s does',
      { annotation: 'unconfined', pods: { type: 'RuntimeDefault' } },
      'unconfined',
      { type: 'Unconfined' },
      true,
    ],
    ['both stay as they are', { annotation: 'unconfined', own: local('p') }, 'unconfined', local('p')],
    ['what no field can say is left', { annotation: 'odd' }, 'odd', undefined, true],
    ['so is what would be no valid field', { annotation: 'localhost/ ' }, 'localhost/ ', undefined, true],
    [
      'pods for Windows have no AppArmor',
      { annotation: 'runtime/default', os: 'windows' },
      'runtime/default',
    ],
  ]
for (const [what, given, annotation, own, warns = false] of cases)
  test(`AppArmor annotations and fields: ${what}`, () =>
    assert.deepEqual(synced(given), { annotation, own, warnings: warns ? [WARNING] : [] }))
