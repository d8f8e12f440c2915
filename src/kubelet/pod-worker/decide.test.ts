import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Container, Pod, PodSpec } from '../../api/types/core-v1.ts'
import { exited, observe, podOf, record, sandbox, sidecar, spec } from '../testing/pods.fixture.ts'
import type { Action } from './actions.ts'
import { backOffKey } from './crash-back-off.ts'
import { decide } from './decide.ts'
import { nothingObserved, type ObservedPod } from './observed-pod.ts'

interface Case {
  pod: Pod
  observed: ObservedPod
  now?: number
  expected: Action[]
}

const start = (name: string, kind: 'init' | 'sidecar' | 'app' | 'ephemeral' = 'app'): Action => ({
  do: 'startContainer',
  name,
  kind,
})
const kill = (
  name: string,
  message: string,
  why: 'changed' | 'liveness' | 'startup' | 'unknown',
  id = `${name}-0`,
): Action => ({
  do: 'killContainer',
  name,
  id,
  message,
  why,
})
const success = { startup: 'success', liveness: 'success', readiness: 'success' } as const
const two = podOf({ initContainers: [spec('a'), spec('b')] })
const withSidecar = podOf({ initContainers: [sidecar('side'), spec('b')] })
const probed = podOf({ initContainers: [sidecar('side', { startupProbe: {} }), spec('b')] })
const lastSidecar = podOf({ initContainers: [spec('a'), sidecar('side')] })
const never = podOf({ restartPolicy: 'Never', initContainers: [spec('a'), spec('b')] })
const rules = (exit: number, action: string, policy: string) =>
  spec('app', {
    restartPolicy: policy,
    restartPolicyRules: [{ action, exitCodes: { operator: 'In', values: [exit] } }],
  })
const crashed = podOf()
const entry = { [backOffKey(crashed, crashed.spec.containers[0]!)]: { durationMs: 20_000, updatedAt: 0 } }
const lost = { ...sandbox, ready: false }

const legacySidecar = (name: string): Container =>
  spec(name, { lifecycle: { type: 'Sidecar' }, readinessProbe: {} })

const served = (more: Partial<PodSpec> = {}): Pod =>
  podOf({ containers: [spec('app'), legacySidecar('proxy')], ...more })

const cases: Record<string, Case> = {
  // 1.3 sandbox
  'a new pod gets its sandbox and its first init container': {
    pod: two,
    observed: nothingObserved,
    expected: [{ do: 'createSandbox', attempt: 0 }, start('a', 'init')],
  },
  'a new pod without init containers starts all apps': {
    pod: podOf({ containers: [spec('x'), spec('y')] }),
    observed: nothingObserved,
    expected: [{ do: 'createSandbox', attempt: 0 }, start('x'), start('y')],
  },
  'what still runs in a lost sandbox is killed first': {
    pod: two,
    observed: observe([record('app')], { sandboxes: [lost] }),
    expected: [{ do: 'killPod' }, { do: 'createSandbox', attempt: 1, replaces: 's0' }, start('a', 'init')],
  },
  'a lost sandbox takes the records of init containers with it': {
    pod: two,
    observed: observe([exited('app', 137), exited('b', 0), exited('a', 0)], { sandboxes: [lost] }),
    expected: [
      { do: 'removeContainer', name: 'b', id: 'b-0' },
      { do: 'removeContainer', name: 'a', id: 'a-0' },
      { do: 'createSandbox', attempt: 1, replaces: 's0' },
      start('a', 'init'),
    ],
  },
  'two ready sandboxes are replaced': {
    pod: podOf(),
    observed: observe([], { sandboxes: [{ ...sandbox, id: 's1', attempt: 1 }, sandbox] }),
    expected: [{ do: 'killPod' }, { do: 'createSandbox', attempt: 2, replaces: 's1' }, start('app')],
  },
  'a sandbox that lost its address is replaced': {
    pod: podOf(),
    observed: observe([], { sandboxes: [{ ...sandbox, ips: [] }] }),
    expected: [{ do: 'killPod' }, { do: 'createSandbox', attempt: 1, replaces: 's0' }, start('app')],
  },
  'a host-network sandbox needs no address': {
    pod: podOf({ hostNetwork: true }),
    observed: observe([record('app')], { sandboxes: [{ ...sandbox, network: 'NODE', ips: [] }] }),
    expected: [],
  },
  'under Never nothing is started anew after the sandbox is lost': {
    pod: podOf({ restartPolicy: 'Never' }),
    observed: observe([exited('app', 137)], { sandboxes: [lost] }),
    expected: [],
  },
  'under OnFailure a pod whose apps all succeeded gets no new sandbox': {
    pod: podOf({ restartPolicy: 'OnFailure' }),
    observed: observe([exited('app', 0)], { sandboxes: [lost] }),
    expected: [],
  },

  // 1.4 the init walk
  'the first init container starts when none has a record': {
    pod: two,
    observed: observe(),
    expected: [start('a', 'init')],
  },
  'nothing is done while an init container runs': {
    pod: two,
    observed: observe([record('a')]),
    expected: [],
  },
  'an init container that was created but not started is started': {
    pod: two,
    observed: observe([record('a', { state: 'created' })]),
    expected: [start('a', 'init')],
  },
  'the next init container follows a success': {
    pod: two,
    observed: observe([exited('a', 0)]),
    expected: [start('b', 'init')],
  },
  'apps follow the last init container': {
    pod: two,
    observed: observe([exited('b', 0), exited('a', 0)]),
    expected: [start('app')],
  },
  'a failed init container runs again': {
    pod: two,
    observed: observe([exited('a', 1)]),
    expected: [start('a', 'init')],
  },
  'under Never a failed init container ends the pod': {
    pod: never,
    observed: observe([exited('a', 1)]),
    expected: [{ do: 'killPod' }],
  },
  'a restart rule of the init container beats the policy Never': {
    pod: podOf({
      restartPolicy: 'Never',
      initContainers: [
        spec('a', {
          restartPolicy: 'Never',
          restartPolicyRules: [{ action: 'Restart', exitCodes: { operator: 'In', values: [42] } }],
        }),
      ],
    }),
    observed: observe([exited('a', 42)]),
    expected: [start('a', 'init')],
  },
  'an init container in unknown state is killed and started again': {
    pod: two,
    observed: observe([record('a', { state: 'unknown' })]),
    expected: [
      kill('a', 'Init container is in "unknown" state, try killing it before restart', 'unknown'),
      start('a', 'init'),
    ],
  },
  'under Never an init container in unknown state ends the pod': {
    pod: never,
    observed: observe([record('a', { state: 'unknown' })]),
    expected: [{ do: 'killPod' }],
  },
  'forgotten init containers do not run again while an app runs': {
    pod: two,
    observed: observe([record('app')]),
    expected: [],
  },
  'a new image of a finished init container changes nothing': {
    pod: podOf({ initContainers: [spec('a', { image: 'other' })] }),
    observed: observe([record('app'), exited('a', 0)]),
    expected: [],
  },
  'a running sidecar lets the next init container start': {
    pod: withSidecar,
    observed: observe([record('side')]),
    expected: [start('b', 'init')],
  },
  'a sidecar without a startup verdict holds the next one back': {
    pod: probed,
    observed: observe([record('side')]),
    expected: [],
  },
  'a started sidecar lets the next one start': {
    pod: probed,
    observed: observe([record('side')], { probes: { 'side-0': success } }),
    expected: [start('b', 'init')],
  },
  'a sidecar that fails its startup probe is killed and started again': {
    pod: probed,
    observed: observe([record('side')], { probes: { 'side-0': { ...success, startup: 'failure' } } }),
    expected: [kill('side', 'Init container side failed startup probe', 'startup'), start('side', 'sidecar')],
  },
  'the last sidecar running lets apps start': {
    pod: lastSidecar,
    observed: observe([record('side'), exited('a', 0)]),
    expected: [start('app')],
  },
  'a sidecar that exited runs again beside the app, whatever the policy': {
    pod: podOf({ restartPolicy: 'Never', initContainers: [sidecar('side')] }),
    observed: observe([record('app'), exited('side', 0)]),
    expected: [start('side', 'sidecar')],
  },
  'a sidecar whose image changed is replaced': {
    pod: podOf({ initContainers: [sidecar('side', { image: 'new' })] }),
    observed: observe([record('app'), record('side')]),
    expected: [kill('side', 'Init container side definition changed', 'changed'), start('side', 'sidecar')],
  },
  'a sidecar that fails its liveness probe is replaced': {
    pod: podOf({ initContainers: [sidecar('side', { livenessProbe: {} })] }),
    observed: observe([record('app'), record('side')], {
      probes: { 'side-0': { ...success, liveness: 'failure' } },
    }),
    expected: [
      kill('side', 'Init container side failed liveness probe', 'liveness'),
      start('side', 'sidecar'),
    ],
  },
  'a sidecar that was created but not started is started': {
    pod: withSidecar,
    observed: observe([record('side', { state: 'created' })]),
    expected: [start('side', 'sidecar')],
  },
  'a sidecar in unknown state is killed and started again, even under Never': {
    pod: podOf({ restartPolicy: 'Never', initContainers: [sidecar('side')] }),
    observed: observe([record('side', { state: 'unknown' })]),
    expected: [
      kill('side', 'Init container is in "unknown" state, try killing it before restart', 'unknown'),
      start('side', 'sidecar'),
    ],
  },
  'a sidecar that has vanished beside a running app is started again': {
    pod: lastSidecar,
    observed: observe([record('app')]),
    expected: [start('side', 'sidecar')],
  },
  'sidecars started earlier keep running while a later init container is retried': {
    pod: withSidecar,
    observed: observe([exited('b', 1), record('side')]),
    expected: [start('b', 'init')],
  },
  'only the newest dead record of an init container is kept when one starts': {
    pod: two,
    observed: observe([exited('a', 1, { restartCount: 1 }), exited('a', 1)]),
    expected: [{ do: 'removeContainer', name: 'a', id: 'a-0' }, start('a', 'init')],
  },

  // 1.5 apps
  'a running app is left alone': { pod: podOf(), observed: observe([record('app')]), expected: [] },
  'an app in unknown state is killed and started again': {
    pod: podOf(),
    observed: observe([record('app', { state: 'unknown' })]),
    expected: [
      kill('app', 'Container is in "unknown" state, try killing it before restart', 'unknown'),
      start('app'),
    ],
  },
  'nothing starts in a pod that is being deleted': {
    pod: podOf({}, { deletionTimestamp: '2026-01-01T00:00:00Z' }),
    observed: observe([exited('app', 1)]),
    expected: [{ do: 'killPod' }],
  },
  'an app that exited 0 runs again under Always': {
    pod: podOf(),
    observed: observe([exited('app', 0)]),
    expected: [start('app')],
  },
  'an app that exited 0 is done under OnFailure': {
    pod: podOf({ restartPolicy: 'OnFailure' }),
    observed: observe([exited('app', 0)]),
    expected: [{ do: 'killPod' }],
  },
  'a changed image replaces the app even under Never': {
    pod: podOf({ restartPolicy: 'Never', containers: [spec('app', { image: 'new' })] }),
    observed: observe([record('app')]),
    expected: [kill('app', 'Container app definition changed, will be restarted', 'changed'), start('app')],
  },
  'a failed liveness probe replaces the app': {
    pod: podOf({ containers: [spec('app', { livenessProbe: {} })] }),
    observed: observe([record('app')], { probes: { 'app-0': { ...success, liveness: 'failure' } } }),
    expected: [
      kill('app', 'Container app failed liveness probe, will be restarted', 'liveness'),
      start('app'),
    ],
  },
  'a failed startup probe under Never kills the app and so ends the pod': {
    pod: podOf({ restartPolicy: 'Never', containers: [spec('app', { startupProbe: {} })] }),
    observed: observe([record('app')], { probes: { 'app-0': { ...success, startup: 'failure' } } }),
    expected: [kill('app', 'Container app failed startup probe', 'startup'), { do: 'killPod' }],
  },
  'sidecars do not keep a finished pod alive': {
    pod: podOf({ restartPolicy: 'Never', initContainers: [sidecar('side')] }),
    observed: observe([exited('app', 0), record('side')]),
    expected: [{ do: 'killPod' }],
  },
  'a container policy of its own beats the pod policy': {
    pod: podOf({ restartPolicy: 'Never', containers: [spec('app', { restartPolicy: 'OnFailure' })] }),
    observed: observe([exited('app', 1)]),
    expected: [start('app')],
  },
  'a rule restarts an exit code that the policy would not': {
    pod: podOf({ restartPolicy: 'Never', containers: [rules(42, 'Restart', 'Never')] }),
    observed: observe([exited('app', 42)]),
    expected: [start('app')],
  },

  'a container that some rule restarts is restarted after a probe’s kill': {
    pod: podOf({
      restartPolicy: 'Never',
      containers: [{ ...rules(42, 'Restart', 'Never'), livenessProbe: {} }],
    }),
    observed: observe([record('app')], { probes: { 'app-0': { ...success, liveness: 'failure' } } }),
    expected: [
      kill('app', 'Container app failed liveness probe, will be restarted', 'liveness'),
      start('app'),
    ],
  },
  'a rule lets a pod under Never run anew after its sandbox is lost': {
    pod: podOf({ restartPolicy: 'Never', containers: [rules(42, 'Restart', 'Never')] }),
    observed: observe([exited('app', 137)], { sandboxes: [lost] }),
    expected: [{ do: 'createSandbox', attempt: 1, replaces: 's0' }, start('app')],
  },

  // lifecycle.type: Sidecar
  'a sidecar of the old form starts alone': {
    pod: served(),
    observed: nothingObserved,
    expected: [{ do: 'createSandbox', attempt: 0 }, start('proxy')],
  },
  'it starts after the init containers': {
    pod: served({ initContainers: [spec('a')] }),
    observed: observe([exited('a', 0)]),
    expected: [start('proxy')],
  },
  'the others wait while it runs and is not ready': {
    pod: served(),
    observed: observe([record('proxy')], { probes: { 'proxy-0': { ...success, readiness: 'failure' } } }),
    expected: [],
  },
  'the others start when it is ready': {
    pod: served(),
    observed: observe([record('proxy')], { probes: { 'proxy-0': success } }),
    expected: [start('app')],
  },
  'an app that has run beside it does not wait for it again': {
    pod: served(),
    observed: observe([exited('app', 1), record('proxy')], {
      probes: { 'proxy-0': { ...success, readiness: 'failure' } },
    }),
    expected: [start('app')],
  },
  'it runs again as long as the others do, whatever the policy': {
    pod: served({ restartPolicy: 'Never' }),
    observed: observe([exited('proxy', 0), record('app')]),
    expected: [start('proxy')],
  },
  'it does not keep a finished pod alive': {
    pod: served({ restartPolicy: 'Never' }),
    observed: observe([exited('app', 0), record('proxy')]),
    expected: [{ do: 'killPod' }],
  },
  'it is not started again for a finished pod': {
    pod: served({ restartPolicy: 'OnFailure' }),
    observed: observe([exited('proxy', 1), exited('app', 0)]),
    expected: [{ do: 'killPod' }],
  },
  'where every container is marked, none is a sidecar': {
    pod: podOf({ containers: [legacySidecar('a'), legacySidecar('b')] }),
    observed: observe([]),
    expected: [start('a'), start('b')],
  },

  // 1.7 restart all
  'an exit that asks for it restarts all containers, the source removed last': {
    pod: podOf({
      initContainers: [spec('a')],
      containers: [rules(88, 'RestartAllContainers', 'Never'), spec('other')],
    }),
    observed: observe([exited('app', 88), record('other'), exited('a', 0)]),
    expected: [
      { do: 'beginRestartAll', source: 'app' },
      {
        do: 'killContainer',
        name: 'other',
        id: 'other-0',
        message: 'container exited with restart policy rule',
        why: 'restartAll',
      },
      { do: 'removeContainer', name: 'other', id: 'other-0', keepLogs: true },
      { do: 'removeContainer', name: 'a', id: 'a-0', keepLogs: true },
      { do: 'removeContainer', name: 'app', id: 'app-0', keepLogs: true },
    ],
  },
  'a restart of all ends when everything is started again': {
    pod: podOf({ containers: [rules(88, 'RestartAllContainers', 'Never')] }),
    observed: observe([record('app')], { restartingAll: true }),
    expected: [{ do: 'endRestartAll' }],
  },

  // 1.8 remains
  'one dead record per app is kept': {
    pod: podOf(),
    observed: observe([
      record('app', { restartCount: 2 }),
      exited('app', 1, { restartCount: 1 }),
      exited('app', 1),
    ]),
    expected: [{ do: 'removeContainer', name: 'app', id: 'app-0' }],
  },
  'an old sandbox goes with its last container': {
    pod: podOf(),
    observed: observe([record('app', { sandboxId: 's1' })], {
      sandboxes: [{ ...sandbox, id: 's1', attempt: 1 }, lost],
    }),
    expected: [{ do: 'removeSandbox', id: 's0' }],
  },

  // 4.1 back-off
  'a crashed container waits out its back-off': {
    pod: crashed,
    observed: observe([exited('app', 1)], { backOffs: entry }),
    now: 5_000,
    expected: [
      { do: 'holdBack', name: 'app', message: 'back-off 20s restarting failed container=app pod=p_ns(u)' },
      { do: 'checkAgain', at: 22_000 },
    ],
  },
  'a crashed container restarts when the back-off ends': {
    pod: crashed,
    observed: observe([exited('app', 1)], { backOffs: entry }),
    now: 22_000,
    expected: [start('app')],
  },
  'a failed start is left alone until its time': {
    pod: podOf(),
    observed: observe([], {
      startFailures: { app: { reason: 'CreateContainerError', message: 'x', retryAt: 9_000 } },
    }),
    now: 5_000,
    expected: [{ do: 'checkAgain', at: 9_000 }],
  },

  // 11 ephemeral
  'an ephemeral container starts while init containers run, and once only': {
    pod: podOf({ initContainers: [spec('a')], ephemeralContainers: [spec('debug'), spec('done')] }),
    observed: observe([record('a'), exited('done', 0)]),
    expected: [start('debug', 'ephemeral')],
  },
}

for (const [name, { pod, observed, now = 100_000, expected }] of Object.entries(cases)) {
  test(name, () => assert.deepEqual(decide(pod, observed, now), expected))
}
