// The whole Pod: its sandbox, the restart of everything, what remains of the dead.
import { decisionTests, lost, rules, start, two } from '../testing/decide.fixture.ts'
import { exited, observe, podOf, record, sandbox, spec } from '../testing/pods.fixture.ts'
import { nothingObserved } from './observed-pod.ts'

decisionTests({
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

  // 11 ephemeral
  'an ephemeral container starts while init containers run, and once only': {
    pod: podOf({ initContainers: [spec('a')], ephemeralContainers: [spec('debug'), spec('done')] }),
    observed: observe([record('a'), exited('done', 0)]),
    expected: [start('debug', 'ephemeral')],
  },
})
