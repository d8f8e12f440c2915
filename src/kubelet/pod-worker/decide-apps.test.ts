// The containers of a Pod, and how long those that crash are held back.
import {
  crashed,
  decisionTests,
  entry,
  kill,
  lost,
  rules,
  start,
  success,
} from '../testing/decide.fixture.ts'
import { exited, observe, podOf, record, sidecar, spec } from '../testing/pods.fixture.ts'

decisionTests({
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
})
