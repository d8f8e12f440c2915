import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ContainerState, ContainerStatus, Pod, PodPhase } from '../../api/types/core-v1.ts'
import { podOf, sidecar, spec } from '../testing/pods.fixture.ts'
import { podPhase } from './phase.ts'

interface Case {
  pod: Pod
  statuses: ContainerStatus[]
  terminal?: boolean
  appEverActive?: boolean
  expected: PodPhase
}

const of = (name: string, state: ContainerState, more: Partial<ContainerStatus> = {}): ContainerStatus => ({
  name,
  state,
  lastState: {},
  ready: false,
  restartCount: 0,
  image: '',
  imageID: '',
  ...more,
})
const running = (name: string, started = true) => of(name, { running: {} }, { started })
const waiting = (name: string) => of(name, { waiting: {} })
const ended = (name: string, exitCode: number) => of(name, { terminated: { exitCode } })
const again = (name: string, exitCode: number) =>
  of(name, { waiting: { reason: 'CrashLoopBackOff' } }, { lastState: { terminated: { exitCode } } })

const plain = podOf()
const never = podOf({ restartPolicy: 'Never' })
const onFailure = podOf({ restartPolicy: 'OnFailure' })
const withInit = podOf({ initContainers: [spec('init')] })
const neverWithInit = podOf({ restartPolicy: 'Never', initContainers: [spec('init')] })
const withSidecar = podOf({ initContainers: [sidecar('side')] })
const neverWithSidecar = podOf({ restartPolicy: 'Never', initContainers: [sidecar('side')] })
const pair = podOf({ restartPolicy: 'Never', containers: [spec('a'), spec('b')] })
const served = podOf({
  restartPolicy: 'Never',
  containers: [spec('app'), spec('proxy', { lifecycle: { type: 'Sidecar' } })],
})

/** Section 2.2, first match wins. */
const cases: Record<string, Case> = {
  'an init container that failed for good fails the pod': {
    pod: neverWithInit,
    statuses: [ended('init', 1), waiting('app')],
    expected: 'Failed',
  },
  'an init container whose own policy restarts it does not': {
    pod: podOf({ restartPolicy: 'Never', initContainers: [spec('init', { restartPolicy: 'OnFailure' })] }),
    statuses: [ended('init', 1), waiting('app')],
    expected: 'Pending',
  },
  'an init container that failed and runs again is pending': {
    pod: withInit,
    statuses: [again('init', 1), waiting('app')],
    expected: 'Pending',
  },
  'an init container that runs is pending': {
    pod: withInit,
    statuses: [running('init'), waiting('app')],
    expected: 'Pending',
  },
  'an init container that has not run is pending': {
    pod: withInit,
    statuses: [waiting('init'), waiting('app')],
    expected: 'Pending',
  },
  'a sidecar that has not started is pending': {
    pod: withSidecar,
    statuses: [running('side', false), waiting('app')],
    expected: 'Pending',
  },
  'a sidecar that starts anew beside an app that has run is not': {
    pod: withSidecar,
    statuses: [running('side', false), running('app')],
    appEverActive: true,
    expected: 'Running',
  },
  'an app that waits for the first time is pending': {
    pod: pair,
    statuses: [running('a'), waiting('b')],
    expected: 'Pending',
  },
  'an app that runs is running': { pod: plain, statuses: [running('app')], expected: 'Running' },
  'one of two apps that runs is running': {
    pod: pair,
    statuses: [running('a'), ended('b', 1)],
    expected: 'Running',
  },
  'an app of which nothing is known is pending': {
    pod: plain,
    statuses: [of('app', {})],
    expected: 'Pending',
  },
  'an app without a status is pending': { pod: plain, statuses: [], expected: 'Pending' },
  'an app that backs off is running': { pod: plain, statuses: [again('app', 1)], expected: 'Running' },
  'an app that ended and will run again is running': {
    pod: plain,
    statuses: [ended('app', 0)],
    expected: 'Running',
  },
  'when nothing starts any more, success is success': {
    pod: plain,
    statuses: [ended('app', 0)],
    terminal: true,
    expected: 'Succeeded',
  },
  'when nothing starts any more, one failure is failure': {
    pod: plain,
    statuses: [ended('app', 137)],
    terminal: true,
    expected: 'Failed',
  },
  'an app that succeeded under Never is a success': {
    pod: never,
    statuses: [ended('app', 0)],
    expected: 'Succeeded',
  },
  'an app that failed under Never is a failure': {
    pod: never,
    statuses: [ended('app', 1)],
    expected: 'Failed',
  },
  'an app that succeeded under OnFailure is a success': {
    pod: onFailure,
    statuses: [ended('app', 0)],
    expected: 'Succeeded',
  },
  'an app that failed under OnFailure is running': {
    pod: onFailure,
    statuses: [ended('app', 1)],
    expected: 'Running',
  },
  'one success and one failure is a failure': {
    pod: pair,
    statuses: [ended('a', 0), ended('b', 1)],
    expected: 'Failed',
  },
  'a sidecar that still runs beside finished apps is running': {
    pod: neverWithSidecar,
    statuses: [running('side'), ended('app', 0)],
    expected: 'Running',
  },
  'how a sidecar ended counts for nothing': {
    pod: neverWithSidecar,
    statuses: [ended('side', 137), ended('app', 0)],
    expected: 'Succeeded',
  },
  'an app waiting for its readiness keeps the pod pending beside a sidecar of the old form': {
    pod: served,
    statuses: [waiting('app'), running('proxy')],
    expected: 'Pending',
  },
  'how a sidecar of the old form ended counts for nothing': {
    pod: served,
    statuses: [ended('app', 0), ended('proxy', 143)],
    expected: 'Succeeded',
  },
  'a container policy of its own counts before the pod policy': {
    pod: podOf({ restartPolicy: 'Always', containers: [spec('app', { restartPolicy: 'Never' })] }),
    statuses: [ended('app', 1)],
    expected: 'Failed',
  },
  'a container removed for a restart of all has not failed': {
    pod: never,
    statuses: [
      of(
        'app',
        { waiting: { reason: 'RestartingAllContainers' } },
        { lastState: { terminated: { exitCode: 137, reason: 'RestartingAllContainers' } } },
      ),
    ],
    expected: 'Running',
  },
}

for (const [title, { expected, terminal = false, appEverActive = false, ...inputs }] of Object.entries(
  cases,
)) {
  test(title, () => assert.equal(podPhase({ ...inputs, terminal, appEverActive }), expected))
}
