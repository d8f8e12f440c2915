import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { StatefulSet } from '../../api/types/apps-v1.ts'
import type { Pod } from '../../api/types/core-v1.ts'
import { deleted, pod, statefulSet, templateOf } from '../testing/workload-objects.fixture.ts'
import { decideStatefulSet, type ObservedSet, type StatefulAction } from './decide-stateful-set.ts'

const NOW = Date.parse('2026-01-01T01:00:00Z')

type Edits = Parameters<typeof pod>[1]

/** A Pod of the set 'web', of the revision 'new' unless told otherwise. */
function replica(ordinal: number, { revision = 'new', ...edits }: Edits & { revision?: string } = {}): Pod {
  const name = `web-${ordinal}`
  const labels = {
    app: 'web',
    'controller-revision-hash': revision,
    'statefulset.kubernetes.io/pod-name': name,
    'apps.kubernetes.io/pod-index': String(ordinal),
  }
  return pod(name, { ...edits, metadata: { labels, ...edits?.metadata } })
}

const pending = (ordinal: number) => replica(ordinal, { status: { phase: 'Pending' } })
const failed = (ordinal: number) => replica(ordinal, { status: { phase: 'Failed' } })
const going = (ordinal: number) =>
  replica(ordinal, { metadata: { ...replica(ordinal).metadata, ...deleted } })
const unready = (ordinal: number, revision = 'new') => replica(ordinal, { ready: false, revision })
const old = (ordinal: number) => replica(ordinal, { revision: 'old' })

const shown = (action: StatefulAction) => `${action.do} ${action.pod.metadata.name}`
const parallel = { podManagementPolicy: 'Parallel' as const }
const rolling = (rollingUpdate: object) => ({
  updateStrategy: { type: 'RollingUpdate' as const, rollingUpdate },
})

interface Case {
  set?: Partial<StatefulSet['spec']>
  pods: Pod[]
  observed?: Partial<ObservedSet>
  phases: string[][]
}

function decide({ set, pods, observed }: Case): StatefulAction[][] {
  const whole: ObservedSet = {
    pods,
    current: { revision: 'old', template: templateOf('web:old') },
    update: { revision: 'new', template: templateOf('web:new') },
    claimsAreRight: () => true,
    claimIsStale: () => false,
    ...observed,
  }
  return decideStatefulSet(statefulSet(set), whole, NOW).filter(actions => actions.length > 0)
}

const cases: Record<string, Case> = {
  'in order: the first Pod first': { pods: [], phases: [['create web-0']] },
  'in order: the next when the one before is ready': { pods: [replica(0)], phases: [['create web-1']] },
  'in order: not while the one before is not ready': { pods: [unready(0)], phases: [] },
  'in order: a Pod that waits for its node has its claims made anew': {
    pods: [pending(0)],
    phases: [['makeClaims web-0']],
  },
  'in order: a gap is filled before anything else': {
    pods: [replica(0), replica(2)],
    phases: [['create web-1']],
  },
  'in order: not before it has been ready for long enough': {
    set: { minReadySeconds: 7_200 },
    pods: [replica(0)],
    phases: [],
  },
  'a finished Pod is deleted, to come again': { pods: [failed(0), replica(1)], phases: [['delete web-0']] },
  'a Pod that goes is waited for': { pods: [going(0)], phases: [] },
  'a claim that goes with an earlier Pod is waited for': {
    pods: [],
    observed: { claimIsStale: ordinal => ordinal === 0 },
    phases: [],
  },
  'in parallel: all at once': {
    set: parallel,
    pods: [],
    phases: [['create web-0', 'create web-1', 'create web-2']],
  },
  'in parallel: whatever the others do': {
    set: parallel,
    pods: [unready(0)],
    phases: [['create web-1', 'create web-2']],
  },
  'all is well: nothing': { pods: [replica(0), replica(1), replica(2)], phases: [] },
  'ordinals begin where the set says': {
    set: { replicas: 2, ordinals: { start: 5 } },
    pods: [replica(5)],
    phases: [['create web-6']],
  },
  'scaled down in order: the highest first, one at a time': {
    set: { replicas: 1 },
    pods: [replica(0), replica(1), replica(2)],
    phases: [['delete web-2']],
  },
  'scaled down in order: one that is well goes whatever those below it are': {
    set: { replicas: 1 },
    pods: [replica(0), unready(1), replica(2)],
    phases: [['delete web-2']],
  },
  'scaled down in order: the one that is not well must be the lowest that is not': {
    set: { replicas: 1 },
    pods: [replica(0), unready(1), unready(2)],
    phases: [],
  },
  'scaled down in order: the only one that is not well may go': {
    set: { replicas: 1 },
    pods: [replica(0), replica(1), unready(2)],
    phases: [['delete web-2']],
  },
  'scaled down in order: one that has ended for good waits for nobody': {
    set: { replicas: 0 },
    pods: [failed(0), failed(1)],
    phases: [['delete web-1']],
  },
  'scaled down in order: one that goes is waited for': {
    set: { replicas: 1 },
    pods: [replica(0), replica(1), going(2)],
    phases: [],
  },
  'scaled down in order: not while a replica is not ready': {
    set: { replicas: 1 },
    pods: [unready(0), replica(1)],
    phases: [],
  },
  'scaled down in parallel: all at once': {
    set: { replicas: 1, ...parallel },
    pods: [replica(0), replica(1), replica(2)],
    phases: [['delete web-2', 'delete web-1']],
  },
  'what was below a new start goes as well': {
    set: { replicas: 1, ordinals: { start: 1 } },
    pods: [replica(0), replica(1)],
    phases: [['delete web-0']],
  },
  'claims of what is scaled away are given to it first': {
    set: { replicas: 1 },
    pods: [replica(0), replica(1)],
    observed: { claimsAreRight: ({ metadata }) => metadata.name !== 'web-1' },
    phases: [['giveClaims web-1'], ['delete web-1']],
  },
  'wrong labels are repaired': {
    set: { replicas: 1 },
    pods: [replica(0, { metadata: { labels: { app: 'web', 'controller-revision-hash': 'new' } } })],
    phases: [['repair web-0']],
  },
  'an update takes the highest that is old': { pods: [old(0), old(1), old(2)], phases: [['delete web-2']] },
  'an update goes on when the updated one is ready': {
    pods: [old(0), old(1), replica(2)],
    phases: [['delete web-1']],
  },
  'an update waits for the updated one': { pods: [old(0), old(1), unready(2)], phases: [] },
  'below the partition nothing is updated': {
    set: rolling({ partition: 2 }),
    pods: [old(0), old(1), replica(2)],
    phases: [],
  },
  'a partition beyond the end updates nothing': {
    set: rolling({ partition: 9 }),
    pods: [old(0), old(1), old(2)],
    phases: [],
  },
  'as many at once as may be unavailable': {
    set: rolling({ maxUnavailable: 2 }),
    pods: [old(0), old(1), old(2)],
    phases: [['delete web-2', 'delete web-1']],
  },
  'a share that may be unavailable is rounded up': {
    set: rolling({ maxUnavailable: '34%' }),
    pods: [old(0), old(1), old(2)],
    phases: [['delete web-2', 'delete web-1']],
  },
  'in parallel old ones that serve nobody are replaced at once, others within the budget': {
    set: { ...parallel, ...rolling({ maxUnavailable: 2 }) },
    pods: [unready(0, 'old'), old(1), old(2)],
    phases: [['delete web-0', 'delete web-2']],
  },
  'in parallel updated ones that are not ready use up the budget': {
    set: { ...parallel, ...rolling({ maxUnavailable: 1 }) },
    pods: [old(0), old(1), unready(2)],
    phases: [],
  },
  'OnDelete leaves updates to people': {
    set: { updateStrategy: { type: 'OnDelete' } },
    pods: [old(0), old(1), old(2)],
    phases: [],
  },
}

for (const [title, testCase] of Object.entries(cases)) {
  test(title, () => {
    const phases = decide(testCase).map(actions => actions.map(shown))
    assert.deepEqual(phases, testCase.phases)
  })
}

test('a set that is being deleted does nothing', () => {
  const set = statefulSet({}, {}, deleted)
  const observed = {
    pods: [],
    claimsAreRight: () => true,
    claimIsStale: () => false,
  } as unknown as ObservedSet
  assert.deepEqual(decideStatefulSet(set, observed, NOW), [])
})

const imageOf = (testCase: Omit<Case, 'phases'>): string => {
  const [[action] = []] = decide({ ...testCase, phases: [] })
  assert.equal(action?.do, 'create')
  return action.do === 'create' ? action.pod.spec.containers[0]!.image! : ''
}

test('a Pod that is made anew below the partition has the current revision, above it the new one', () => {
  const set = rolling({ partition: 1 })
  assert.equal(imageOf({ set, pods: [] }), 'web:old')
  assert.equal(imageOf({ set, pods: [old(0)] }), 'web:new')
  assert.equal(imageOf({ set: { updateStrategy: { type: 'OnDelete' } }, pods: [] }), 'web:new')
})

test('a Pod has its name, host name, labels and claims by its ordinal', () => {
  const volumeClaimTemplates = [{ metadata: { name: 'data' }, spec: { resources: {} } }] as never
  const template = templateOf('web:new')
  template.spec.volumes = [
    { name: 'data', emptyDir: {} },
    { name: 'tmp', emptyDir: {} },
  ]
  const update = { revision: 'new', template }
  const [[action] = []] = decide({
    set: { volumeClaimTemplates },
    pods: [],
    observed: { update },
    phases: [],
  })
  assert.ok(action?.do === 'create')
  const { metadata, spec } = action.pod
  assert.equal(metadata.generateName, 'web-')
  assert.deepEqual(metadata.labels, {
    app: 'web',
    'statefulset.kubernetes.io/pod-name': 'web-0',
    'apps.kubernetes.io/pod-index': '0',
    'controller-revision-hash': 'new',
  })
  assert.deepEqual([spec.hostname, spec.subdomain], ['web-0', 'web'])
  assert.deepEqual(spec.volumes, [
    { name: 'data', persistentVolumeClaim: { claimName: 'data-web-0' } },
    { name: 'tmp', emptyDir: {} },
  ])
})
