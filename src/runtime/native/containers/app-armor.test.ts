import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, test } from 'node:test'
import { silentLog } from '../../../base/log.ts'
import type { LinuxContainerSecurityContext } from '../../cri/cri.generated.ts'
import { AppArmor, removeAppArmorProfile } from './app-armor.ts'

let sys: string
let loads: string[]
beforeEach(() => {
  sys = mkdtempSync(join(tmpdir(), 'apparmor-'))
  loads = []
})
afterEach(() => rmSync(sys, { recursive: true }))

/** A machine that looks as one with AppArmor does. */
function machine({
  enabled = 'Y',
  profiles = '',
  hasParser = true,
  inContainer = false,
  fails = '',
} = {}): AppArmor {
  const kernel = join(sys, 'kernel/security/apparmor')
  const [parameters, sbin] = [join(sys, 'module/apparmor/parameters'), join(sys, 'sbin')]
  for (const folder of [kernel, parameters, sbin]) mkdirSync(folder, { recursive: true })
  writeFileSync(join(parameters, 'enabled'), `${enabled}\n`)
  writeFileSync(join(kernel, 'profiles'), profiles)
  writeFileSync(join(kernel, '.remove'), '')
  if (hasParser) writeFileSync(join(sbin, 'apparmor_parser'), '')
  return new AppArmor('one', silentLog, { sys, folders: [sbin], inContainer }, async text => {
    loads.push(text)
    if (fails) throw new Error(fails)
  })
}
const wants = (profileType: 'RuntimeDefault' | 'Unconfined' | 'Localhost', localhostRef = '') => ({
  apparmor: { profileType, localhostRef },
})

const cases: [
  what: string,
  security: LinuxContainerSecurityContext | undefined,
  expected: string | undefined,
][] = [
  ['no wish means the default', undefined, 'kubernode-one'],
  ['the default when it is asked for', wants('RuntimeDefault'), 'kubernode-one'],
  ['none when none is asked for', wants('Unconfined'), undefined],
  ['none for the privileged', { privileged: true }, undefined],
  [
    'none for the privileged, whatever the default',
    { privileged: true, ...wants('RuntimeDefault') },
    undefined,
  ],
  ['a loaded one by its name', wants('Localhost', 'web (strict)'), 'web (strict)'],
  ['a loaded one by its old name', wants('Localhost', 'localhost/web (strict)'), 'web (strict)'],
  ['a loaded one for the privileged too', { privileged: true, ...wants('Localhost', 'plain') }, 'plain'],
]
for (const [what, security, expected] of cases)
  test(`profiles: ${what}`, async () => {
    const profiles = 'web (strict) (enforce)\nplain (complain)\n'
    assert.equal(await machine({ profiles }).profileFor(security), expected)
  })

test('the default profile is loaded once, under the cluster’s name', async () => {
  const appArmor = machine()
  await Promise.all([appArmor.profileFor(), appArmor.profileFor()])
  await appArmor.profileFor()
  assert.equal(loads.length, 1)
  assert.match(loads[0]!, /^profile kubernode-one flags=/)
})

test('what an earlier run loaded is not loaded again', async () => {
  assert.equal(await machine({ profiles: 'kubernode-one (enforce)\n' }).profileFor(), 'kubernode-one')
  assert.deepEqual(loads, [])
})

test('a profile that is not loaded is told by its name', () =>
  assert.rejects(machine().profileFor(wants('Localhost', 'nowhere')), /apparmor profile not found nowhere/))

for (const [what, lacking] of [
  ['off', { enabled: 'N' }],
  ['without its compiler', { hasParser: false }],
  ['the business of who put us in a container', { inContainer: true }],
] as const)
  test(`where AppArmor is ${what}, containers without a wish run without, and others do not run`, async () => {
    const appArmor = machine(lacking)
    assert.equal(await appArmor.profileFor(), undefined)
    await assert.rejects(appArmor.profileFor(wants('RuntimeDefault')), /apparmor is not supported/)
  })

test('when the default cannot be loaded, only who asks for it is refused', async () => {
  const appArmor = machine({ fails: 'no policy features' })
  assert.equal(await appArmor.profileFor(), undefined)
  await assert.rejects(appArmor.profileFor(wants('RuntimeDefault')), /no policy features/)
  assert.equal(loads.length, 1)
})

test('the profile goes with the cluster; without AppArmor there is nothing to do', () => {
  removeAppArmorProfile('one', sys)
  machine()
  removeAppArmorProfile('one', sys)
  assert.equal(readFileSync(join(sys, 'kernel/security/apparmor/.remove'), 'utf8'), 'kubernode-one')
})
