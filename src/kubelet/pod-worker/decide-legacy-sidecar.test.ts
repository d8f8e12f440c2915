// Containers marked with lifecycle.type: Sidecar.
import { decisionTests, legacySidecar, served, start, success } from '../testing/decide.fixture.ts'
import { exited, observe, podOf, record, spec } from '../testing/pods.fixture.ts'
import { nothingObserved } from './observed-pod.ts'

decisionTests({
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
})
