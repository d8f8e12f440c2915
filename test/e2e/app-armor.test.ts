// AppArmor profiles of containers, seen from inside; on machines whose kernel has it (`npm run test:v2` starts one).
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { after, before, test } from 'node:test'
import type { Pod } from '../../src/api/types/core-v1.ts'
import { hostHasAppArmor } from '../../src/kubelet/admission/host-features.ts'
import { eventually, TestCluster } from './test-cluster.ts'

const PROFILES = '/sys/kernel/security/apparmor/profiles'
const hasParser = ['/sbin', '/usr/sbin'].some(folder => existsSync(`${folder}/apparmor_parser`))
const skip = hostHasAppArmor() && hasParser ? false : 'this machine has no AppArmor'
const NAME = `kubernode-test-${process.pid}`
const NO_SECRETS = `profile ${NAME} flags=(attach_disconnected) {
  file,
  network,
  capability,
  umount,
  signal,
  deny /etc/passwd r,
}
`

let cluster: TestCluster

before(async () => {
  cluster = await TestCluster.up()
  if (!skip) parser('--replace', NO_SECRETS)
})
after(async () => {
  await cluster?.[Symbol.asyncDispose]()
  if (!skip) parser('--remove', NO_SECRETS)
})

function parser(what: string, input: string): void {
  execFileSync('apparmor_parser', [what, '--skip-cache'], {
    input,
    env: { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin` },
  })
}

interface Wish {
  container?: object
  pod?: object
  annotations?: Record<string, string>
}

async function create(
  name: string,
  { container = {}, pod = {}, annotations = {} }: Wish = {},
): Promise<string> {
  const containers = [
    { name: 'c', image: 'busybox:1.36', command: ['sleep', '1000'], securityContext: container },
  ]
  const spec = { terminationGracePeriodSeconds: 0, restartPolicy: 'Never', securityContext: pod, containers }
  const manifest = { apiVersion: 'v1', kind: 'Pod', metadata: { name, annotations }, spec }
  return cluster.kubectl(['create', '-f', '-'], { input: JSON.stringify(manifest) })
}
const running = (name: string) =>
  eventually(`${name} runs`, async () => {
    const pod = await cluster.json<Pod>(`get pod ${name}`)
    return pod.status.containerStatuses?.[0]?.state?.running && pod
  })
async function inside(name: string, script: string): Promise<string> {
  await running(name)
  return (await cluster.kubectl(['exec', name, '--', 'sh', '-c', `exec 2>&1; ${script}; true`])).trim()
}
const profileOf = (name: string) => inside(name, 'cat /proc/1/attr/current')

test('where there is no AppArmor a pod with a profile is rejected', {
  skip: !skip && 'there is',
}, async () => {
  await create('rejected', { container: { appArmorProfile: { type: 'RuntimeDefault' } } })
  const { status } = await eventually('it has failed', async () => {
    const pod = await cluster.json<Pod>('get pod rejected')
    return pod.status.phase === 'Failed' && pod
  })
  assert.equal(status.reason, 'AppArmor')
  assert.equal(
    status.message,
    'Pod was rejected: Cannot enforce AppArmor: AppArmor is not enabled on the host',
  )
  await create('unconfined', { container: { appArmorProfile: { type: 'Unconfined' } } })
  await running('unconfined')
})

test('containers run under the cluster’s own profile', { skip }, async () => {
  await create('default')
  const own = `kubernode-${cluster.name} (enforce)`
  assert.equal(await profileOf('default'), own)
  assert.equal(await inside('default', 'cat /proc/self/attr/current'), own)
  assert.match(readFileSync(PROFILES, 'utf8'), new RegExp(`^kubernode-${cluster.name} `, 'm'))
})

test('a profile of the node denies what it says, in the first process and in commands', {
  skip,
}, async () => {
  await create('strict', { container: { appArmorProfile: { type: 'Localhost', localhostProfile: NAME } } })
  assert.equal(await profileOf('strict'), `${NAME} (enforce)`)
  assert.match(await inside('strict', 'cat /etc/passwd'), /Permission denied/)
  assert.equal(await inside('strict', 'cat /etc/hostname'), 'strict')
  await create('open', { pod: { appArmorProfile: { type: 'Unconfined' } } })
  assert.match(await profileOf('open'), /^unconfined/)
  assert.match(await inside('open', 'cat /etc/passwd'), /^root:/)
})

test('the old annotation and the field say the same', { skip }, async () => {
  const key = 'container.apparmor.security.beta.kubernetes.io/c'
  await create('annotated', { annotations: { [key]: `localhost/${NAME}` } })
  const { spec } = await running('annotated')
  assert.deepEqual(spec.containers[0]!.securityContext?.appArmorProfile, {
    type: 'Localhost',
    localhostProfile: NAME,
  })
  assert.equal(await profileOf('annotated'), `${NAME} (enforce)`)
  await create('with-field', { container: { appArmorProfile: { type: 'RuntimeDefault' } } })
  assert.equal((await running('with-field')).metadata.annotations?.[key], 'runtime/default')
})

test('a profile that is not loaded is told', { skip }, async () => {
  await create('unknown', {
    container: { appArmorProfile: { type: 'Localhost', localhostProfile: 'nowhere' } },
  })
  const waiting = await eventually('it waits', async () => {
    const { status } = await cluster.json<Pod>('get pod unknown')
    return status.containerStatuses?.[0]?.state?.waiting?.message && status.containerStatuses[0].state.waiting
  })
  assert.equal(waiting.reason, 'CreateContainerError')
  assert.match(waiting.message ?? '', /apparmor profile not found nowhere/)
})

test('the profile goes with the cluster', { skip }, async () => {
  await cluster.stop()
  assert.doesNotMatch(readFileSync(PROFILES, 'utf8'), new RegExp(`^kubernode-${cluster.name} `, 'm'))
})
