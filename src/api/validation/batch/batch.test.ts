import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { KubeObject } from '../../kube-object.ts'
import { validateCreate, validateUpdate } from '../validation.ts'

const uid = 'u-1'
const labels = {
  'controller-uid': uid,
  'job-name': 'task',
  'batch.kubernetes.io/controller-uid': uid,
  'batch.kubernetes.io/job-name': 'task',
}
const container = {
  name: 'main',
  image: 'busybox',
  imagePullPolicy: 'Always',
  terminationMessagePolicy: 'File',
  resources: {},
}
const podSpec = {
  restartPolicy: 'Never',
  dnsPolicy: 'ClusterFirst',
  terminationGracePeriodSeconds: 30,
  securityContext: {},
  containers: [container],
}
const template = { metadata: { labels }, spec: podSpec }

function job(spec: object = {}, rest: { name?: string; status?: object } = {}): KubeObject {
  const { name = 'task', status = {} } = rest
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name, namespace: 'default', uid, creationTimestamp: '2026-01-01T00:00:00Z' } as never,
    spec: {
      parallelism: 1,
      completions: 1,
      backoffLimit: 6,
      completionMode: 'NonIndexed',
      selector: { matchLabels: { 'batch.kubernetes.io/controller-uid': uid } },
      template,
      ...spec,
    },
    status,
  }
}

function cronJob(spec: object = {}, name = 'backup'): KubeObject {
  const { selector: _, ...jobSpec } = job().spec as { selector: unknown }
  return {
    apiVersion: 'batch/v1',
    kind: 'CronJob',
    metadata: { name, namespace: 'default' } as never,
    spec: {
      schedule: '* * * * *',
      concurrencyPolicy: 'Allow',
      jobTemplate: { metadata: {}, spec: jobSpec },
      ...spec,
    },
  }
}

function budget(spec: object): KubeObject {
  const metadata = { name: 'b', namespace: 'default' } as never
  return { apiVersion: 'policy/v1', kind: 'PodDisruptionBudget', metadata, spec, status: {} }
}

const texts = (errors: readonly { field: string; message: string }[]) =>
  errors.map(({ field, message }) => `${field}: ${message}`)
const indexed = { completionMode: 'Indexed', completions: 4, parallelism: 4 }
const exitCodes = (values: number[], more: object = {}) => ({
  podFailurePolicy: { rules: [{ action: 'Count', onExitCodes: { operator: 'In', values, ...more } }] },
})
const RULE = 'spec.podFailurePolicy.rules[0]'

const jobs: [string, KubeObject, string[]][] = [
  ['a plain Job', job(), []],
  [
    'numbers below zero',
    job({ backoffLimit: -1, ttlSecondsAfterFinished: -5 }),
    [
      'spec.backoffLimit: Invalid value: -1: must be greater than or equal to 0',
      'spec.ttlSecondsAfterFinished: Invalid value: -5: must be greater than or equal to 0',
    ],
  ],
  [
    'Pods that restart for ever',
    job({ template: { ...template, spec: { ...podSpec, restartPolicy: 'Always' } } }),
    ['spec.template.spec.restartPolicy: Required value: valid values: "OnFailure", "Never"'],
  ],
  [
    'a selector of the author where one is generated',
    job({ selector: { matchLabels: { mine: 'yes' } } }),
    [
      'spec.selector: Invalid value: {"matchLabels":{"mine":"yes"}}: `selector` not auto-generated',
      `spec.template.metadata.labels: Invalid value: ${JSON.stringify(labels)}: \`selector\` does not match template \`labels\``,
    ],
  ],
  [
    'an Indexed Job without completions',
    job({ ...indexed, completions: undefined }),
    ['spec.completions: Required value: when completion mode is Indexed'],
  ],
  [
    'limits per index of a Job without indexes',
    job({ backoffLimitPerIndex: 1, maxFailedIndexes: 2 }),
    [
      'spec.backoffLimitPerIndex: Invalid value: 1: requires indexed completion mode',
      'spec.maxFailedIndexes: Invalid value: 2: requires indexed completion mode',
    ],
  ],
  [
    'more failed indexes than there are',
    job({ ...indexed, maxFailedIndexes: 5 }),
    [
      'spec.backoffLimitPerIndex: Required value: when maxFailedIndexes is specified',
      'spec.maxFailedIndexes: Invalid value: 5: must be less than or equal to completions',
    ],
  ],
  [
    'very many completions with a limit per index',
    job({ ...indexed, completions: 100_001, parallelism: 10_001, backoffLimitPerIndex: 1 }),
    [
      'spec.maxFailedIndexes: Required value: must be specified when completions is above 100000',
      'spec.parallelism: Invalid value: 10001: must be less than or equal to 10000 when completions are above 100000 and used with backoff limit per index',
    ],
  ],
  [
    'exit codes in disorder',
    job(exitCodes([3, 0, 3], { containerName: 'other' })),
    [
      `${RULE}.onExitCodes.containerName: Invalid value: "other": must be one of the container or initContainer names in the pod template`,
      `${RULE}.onExitCodes.values[1]: Invalid value: 0: must not be 0 for the In operator`,
      `${RULE}.onExitCodes.values[2]: Duplicate value: 3`,
      `${RULE}.onExitCodes.values: Invalid value: [3,0,3]: must be ordered`,
    ],
  ],
  [
    'a rule without a requirement, with an action that is none',
    job({
      podFailurePolicy: {
        rules: [{ action: 'Explode' }, { action: 'FailIndex', onPodConditions: [{ type: 'X' }] }],
      },
    }),
    [
      `${RULE}.action: Unsupported value: "Explode": supported values: "Count", "FailIndex", "FailJob", "Ignore"`,
      `${RULE}: Invalid value: specifying one of OnExitCodes and OnPodConditions is required`,
      'spec.podFailurePolicy.rules[1].action: Invalid value: "FailIndex": requires the backoffLimitPerIndex to be set',
      'spec.podFailurePolicy.rules[1].onPodConditions[0].status: Required value: valid values: ["False" "True" "Unknown"]',
    ],
  ],
  [
    'a pod failure policy with restarts in place',
    job({ ...exitCodes([1]), template: { ...template, spec: { ...podSpec, restartPolicy: 'OnFailure' } } }),
    [
      'spec.template.spec.restartPolicy: Invalid value: "OnFailure": only "Never" is supported when podFailurePolicy is specified',
    ],
  ],
  [
    'a replacement policy that the failure policy rules out',
    job({ ...exitCodes([1]), podReplacementPolicy: 'TerminatingOrFailed' }),
    ['spec.podReplacementPolicy: Unsupported value: "TerminatingOrFailed": supported values: "Failed"'],
  ],
  [
    'a success policy that cannot be met',
    job({ ...indexed, successPolicy: { rules: [{ succeededIndexes: '0-1,1', succeededCount: 7 }, {}] } }),
    [
      'spec.successPolicy.rules[0].succeededIndexes: Invalid value: "0-1,1": error parsing succeededIndexes: non-increasing order, previous: 1, current: 1',
      'spec.successPolicy.rules[0].succeededCount: Invalid value: 7: must be less than or equal to 4 (the number of specified completions)',
      'spec.successPolicy.rules[0].succeededCount: Invalid value: 7: must be less than or equal to 0 (the number of indexes in the specified succeededIndexes field)',
      'spec.successPolicy.rules[1]: Required value: at least one of succeededCount or succeededIndexes must be specified',
    ],
  ],
  [
    'a manager without a domain',
    job({ managedBy: 'me' }),
    ['spec.managedBy: Invalid value: "me": must be a domain-prefixed path (such as "acme.io/foo")'],
  ],
]

for (const [what, object, expected] of jobs) {
  test(`Job: ${what}`, () => assert.deepEqual(texts(validateCreate(object, true)), expected))
}

const IMMUTABLE = 'field is immutable'
const updates: [string, KubeObject, KubeObject, string[]][] = [
  ['completions stay', job(), job({ completions: 2 }), [`spec.completions: Invalid value: 2: ${IMMUTABLE}`]],
  [
    'parallelism, suspend and limits may change',
    job(),
    job({ parallelism: 3, suspend: true, backoffLimit: 1 }),
    [],
  ],
  ['an Indexed Job is elastic', job(indexed), job({ ...indexed, completions: 9, parallelism: 9 }), []],
  [
    'but only in tandem',
    job(indexed),
    job({ ...indexed, completions: 9 }),
    ['spec.completions: Invalid value: 9: can only be modified in tandem with spec.parallelism'],
  ],
  [
    'a suspended Job that was never started may be moved',
    job({ suspend: true }),
    job({ suspend: true, template: { ...template, spec: { ...podSpec, nodeSelector: { disk: 'ssd' } } } }),
    [],
  ],
]

const cpu = (amount: string) => ({
  ...template,
  spec: { ...podSpec, containers: [{ ...container, resources: { requests: { cpu: amount } } }] },
})
const paused = { startTime: '2026-01-01T00:00:00Z', conditions: [{ type: 'Suspended', status: 'True' }] }
updates.push([
  'a suspended Job without Pods may be given other resources, even when it has run before',
  job({ suspend: true, template: cpu('1') }, { status: paused }),
  job({ suspend: true, template: cpu('2') }, { status: paused }),
  [],
])

for (const [what, old, object, expected] of updates) {
  test(`an update of a Job: ${what}`, () => assert.deepEqual(texts(validateUpdate(object, old)), expected))
}

test('the template of a Job that has started stays, and is shown', () => {
  const changed = { ...template, spec: { ...podSpec, nodeSelector: { disk: 'ssd' } } }
  const started = { status: { startTime: '2026-01-01T00:00:00Z' } }
  const errors = texts(validateUpdate(job({ template: changed }, started), job({}, started)))
  assert.equal(errors.length, 1)
  const pausing = { status: { ...paused, active: 1 } }
  const early = validateUpdate(
    job({ suspend: true, template: cpu('2') }, pausing),
    job({ suspend: true }, pausing),
  )
  assert.deepEqual(
    early.map(({ field }) => field),
    ['spec.template'],
  )
  assert.match(
    errors[0]!,
    /^spec\.template: Invalid value: \{"labels":\{.*\},"Spec":\{"Volumes":null.*"NodeSelector":\{"disk":"ssd"\}.*: field is immutable$/,
  )
})

const condition = (...types: string[]) => ({ conditions: types.map(type => ({ type, status: 'True' })) })
const startTime = '2026-01-01T00:00:00Z'
const statuses: [string, object, object, string[], object?][] = [
  [
    'a Job that ends well',
    { startTime },
    {
      startTime,
      completionTime: '2026-01-01T00:00:09Z',
      succeeded: 1,
      ...condition('SuccessCriteriaMet', 'Complete'),
    },
    [],
  ],
  [
    'an end without what comes before it',
    { startTime },
    { startTime, ...condition('Failed') },
    [
      'status.conditions: Invalid value: cannot set Failed=True condition without the FailureTarget=true condition',
    ],
  ],
  [
    'an end that is taken back',
    { startTime, failed: 2, ...condition('FailureTarget', 'Failed') },
    { startTime, failed: 1 },
    [
      'status.conditions: Invalid value: cannot disable the terminal Failed=True condition',
      'status.conditions: Invalid value: cannot disable the terminal FailureTarget=True condition',
      'status.failed: Invalid value: 1: cannot decrease the failed counter',
    ],
  ],
  [
    'more ready than active',
    {},
    { startTime, active: 1, ready: 2 },
    ['status.ready: Invalid value: 2: cannot set more ready pods than active'],
  ],
  [
    'indexes that overlap',
    {},
    { startTime, completedIndexes: '0-2', failedIndexes: '2' },
    ['status.failedIndexes: Invalid value: "2": failedIndexes and completedIndexes overlap at index: 2'],
    { ...indexed, backoffLimitPerIndex: 1 },
  ],
  [
    'a start that moves',
    { startTime },
    { startTime: '2026-01-02T00:00:00Z' },
    ['status.startTime: Required value: startTime cannot be removed for unsuspended job'],
  ],
  [
    'a Job that is resumed',
    { startTime, ...condition('Suspended') },
    { startTime: '2026-01-02T00:00:00Z' },
    [],
  ],
]

for (const [what, old, status, expected, spec] of statuses) {
  test(`the status of a Job: ${what}`, () => {
    const errors = validateUpdate(job(spec, { status }), job(spec, { status: old }), 'status')
    assert.deepEqual(texts(errors), expected)
  })
}

const cronJobs: [string, KubeObject, string[]][] = [
  ['a plain CronJob', cronJob({ timeZone: 'Europe/Berlin' }), []],
  [
    'a schedule that cannot be read',
    cronJob({ schedule: 'x x' }),
    ['spec.schedule: Invalid value: "x x": expected exactly 5 fields, found 2: [x x]'],
  ],
  [
    'a zone in the schedule',
    cronJob({ schedule: 'TZ=UTC * * * * *' }),
    [
      'spec.schedule: Invalid value: "TZ=UTC * * * * *": cannot use TZ or CRON_TZ in schedule, use timeZone field instead',
    ],
  ],
  [
    'zones that are none',
    cronJob({ timeZone: 'local' }),
    [
      'spec.timeZone: Invalid value: "local": timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones',
      'spec.timeZone: Invalid value: "local": unknown time zone local',
    ],
  ],
  [
    'a policy that is none, limits below zero, a name too long',
    cronJob({ concurrencyPolicy: 'Maybe', failedJobsHistoryLimit: -1 }, 'n'.repeat(53)),
    [
      'spec.concurrencyPolicy: Unsupported value: "Maybe": supported values: "Allow", "Forbid", "Replace"',
      'spec.failedJobsHistoryLimit: Invalid value: -1: must be greater than or equal to 0',
      `metadata.name: Invalid value: "${'n'.repeat(53)}": must be no more than 52 characters`,
    ],
  ],
]

for (const [what, object, expected] of cronJobs) {
  test(`CronJob: ${what}`, () => assert.deepEqual(texts(validateCreate(object, true)), expected))
}

test('a CronJob keeps a zone in its schedule that it had before', () => {
  const old = cronJob({ schedule: 'TZ=UTC 1 * * * *' })
  assert.deepEqual(texts(validateUpdate(cronJob({ schedule: 'TZ=UTC 2 * * * *' }), old)), [])
})

const selector = { matchLabels: { app: 'web' } }
const budgets: [string, KubeObject, string[]][] = [
  ['a share', budget({ minAvailable: '50%', selector }), []],
  [
    'shares that are none',
    budget({ minAvailable: '120%', selector }),
    ['spec.minAvailable: Invalid value: "120%": must not be greater than 100%'],
  ],
  [
    'a number below zero, and a policy that is none',
    budget({ maxUnavailable: -1, unhealthyPodEvictionPolicy: 'Never', selector }),
    [
      'spec.maxUnavailable: Invalid value: -1: must be greater than or equal to 0',
      'spec.unhealthyPodEvictionPolicy: Unsupported value: "Never": supported values: "AlwaysAllow", "IfHealthyBudget"',
    ],
  ],
]

for (const [what, object, expected] of budgets) {
  test(`PodDisruptionBudget: ${what}`, () => assert.deepEqual(texts(validateCreate(object, true)), expected))
}

test('a PodDisruptionBudget cannot ask for both', () => {
  const errors = texts(validateCreate(budget({ minAvailable: 1, maxUnavailable: 1 }), true))
  assert.match(
    errors[0]!,
    /^spec: Invalid value: \{"MinAvailable":1,.*: minAvailable and maxUnavailable cannot be both set$/,
  )
})
