// The walk over init containers and sidecars.
import {
  decisionTests,
  kill,
  lastSidecar,
  never,
  probed,
  start,
  success,
  two,
  withSidecar,
} from '../testing/decide.fixture.ts'
import { exited, observe, podOf, record, sidecar, spec } from '../testing/pods.fixture.ts'

decisionTests({
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
})
