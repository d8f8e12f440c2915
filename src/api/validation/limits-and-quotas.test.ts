import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { KubeObject } from '../kube-object.ts'
import { validateCreate } from './validation.ts'

const of = (kind: string, spec: object) =>
  ({ apiVersion: 'v1', kind, metadata: { name: 'x', namespace: 'ns' }, spec }) as unknown as KubeObject
const range = (item: object) => of('LimitRange', { limits: [{ type: 'Container', ...item }] })
const quota = (hard: object, more: object = {}) => of('ResourceQuota', { hard, ...more })

const cases: [title: string, object: KubeObject, said: string[]][] = [
  [
    'bounds that fit',
    range({
      min: { cpu: '100m' },
      max: { cpu: '1' },
      default: { cpu: '500m' },
      defaultRequest: { cpu: '200m' },
    }),
    [],
  ],
  [
    'more at least than at most',
    range({ min: { cpu: '2' }, max: { cpu: '1' } }),
    ['spec.limits[0].min[cpu]: Invalid value: "2": min value 2 is greater than max value 1'],
  ],
  [
    'a default over the most',
    range({ max: { cpu: '1' }, default: { cpu: '2' } }),
    ['spec.limits[0].default[cpu]: Invalid value: "2": default value 2 is greater than max value 1'],
  ],
  [
    'a default request over the default',
    range({ default: { cpu: '1' }, defaultRequest: { cpu: '2' } }),
    [
      'spec.limits[0].defaultRequest[cpu]: Invalid value: "2": default request value 2 is greater than default limit value 1',
    ],
  ],
  [
    'a default under the least',
    range({ min: { cpu: '1' }, default: { cpu: '500m' } }),
    ['spec.limits[0].default[cpu]: Invalid value: "500m": min value 1 is greater than default value 500m'],
  ],
  [
    'defaults of whole pods',
    range({ type: 'Pod', default: { cpu: '1' } }),
    ["spec.limits[0].default: Forbidden: may not be specified when `type` is 'Pod'"],
  ],
  [
    'claims without a bound',
    range({ type: 'PersistentVolumeClaim' }),
    [
      'spec.limits[0].limits: Required value: either minimum or maximum storage value is required, but neither was provided',
    ],
  ],
  [
    'a ratio under one',
    range({ maxLimitRequestRatio: { cpu: '800m' } }),
    ['spec.limits[0].maxLimitRequestRatio[cpu]: Invalid value: "800m": ratio 800m is less than 1'],
  ],
  [
    'a quota',
    quota({
      pods: '1',
      'requests.cpu': '1',
      'count/jobs.batch': '1',
      'gold.storageclass.storage.k8s.io/requests.storage': '1Gi',
    }),
    [],
  ],
  [
    'a quota of nothing known',
    quota({ gadgets: '1' }),
    ['spec.hard[gadgets]: Invalid value: "gadgets": must be a standard resource for quota'],
  ],
  [
    'a quota below nothing',
    quota({ pods: '-1' }),
    ['spec.hard[pods]: Invalid value: "-1": must be greater than or equal to 0'],
  ],
  ['half a pod', quota({ pods: '500m' }), ['spec.hard[pods]: Invalid value: "500m": must be an integer']],
  [
    'scopes against each other',
    quota({ pods: '1' }, { scopes: ['BestEffort', 'NotBestEffort'] }),
    ['spec.scopes: Invalid value: ["BestEffort","NotBestEffort"]: conflicting scopes'],
  ],
  [
    'a scope that fits no such thing',
    quota({ 'requests.cpu': '1' }, { scopes: ['BestEffort'] }),
    ['spec.scopes: Invalid value: ["BestEffort"]: unsupported scope applied to resource'],
  ],
]
for (const [title, object, said] of cases) {
  test(`limits and quotas: ${title}`, () => {
    assert.deepEqual(
      validateCreate(object, true).map(({ field, message }) => `${field}: ${message}`),
      said,
    )
  })
}
