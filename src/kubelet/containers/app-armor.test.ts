import assert from 'node:assert/strict'
import test from 'node:test'
import type { AppArmorProfile, Container, Pod } from '../../api/types/core-v1.ts'
import { appArmorName, appArmorProfileOf } from './app-armor.ts'

const KEY = 'container.apparmor.security.beta.kubernetes.io/c'

function profileOf(own?: AppArmorProfile, annotation?: string, pods?: AppArmorProfile) {
  const container = {
    name: 'c',
    resources: {},
    ...(own && { securityContext: { appArmorProfile: own } }),
  } as Container
  const pod = {
    metadata: { annotations: annotation === undefined ? {} : { [KEY]: annotation } },
    spec: { containers: [container], ...(pods && { securityContext: { appArmorProfile: pods } }) },
  } as unknown as Pod
  return appArmorProfileOf(pod, container)
}
const local = (localhostProfile: string): AppArmorProfile => ({ type: 'Localhost', localhostProfile })

const cases: [what: string, found: AppArmorProfile | undefined, expected: AppArmorProfile | undefined][] = [
  ['nothing', profileOf(), undefined],
  ['its own before all others', profileOf(local('a'), 'localhost/b', local('c')), local('a')],
  ['the annotation before the pod’s', profileOf(undefined, 'localhost/b', local('c')), local('b')],
  ['the pod’s', profileOf(undefined, undefined, local('c')), local('c')],
  ['an empty annotation says nothing', profileOf(undefined, '', local('c')), local('c')],
  ['unconfined by annotation', profileOf(undefined, 'unconfined'), { type: 'Unconfined' }],
  ['the default by annotation', profileOf(undefined, 'runtime/default'), { type: 'RuntimeDefault' }],
]
for (const [what, found, expected] of cases)
  test(`a container's AppArmor profile: ${what}`, () => assert.deepEqual(found, expected))

test('each profile has an old name', () => {
  const profiles: AppArmorProfile[] = [{ type: 'RuntimeDefault' }, { type: 'Unconfined' }, local('a')]
  assert.deepEqual(profiles.map(appArmorName), ['runtime/default', 'unconfined', 'localhost/a'])
})
