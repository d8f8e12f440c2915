import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createErrors, objectOf } from '../test-validation.ts'

const range = (...limits: object[]) => objectOf('v1', 'LimitRange', 'd', { spec: { limits } })
const container = (parts: object) => range({ type: 'Container', ...parts })
const at = 'spec.limits[0]'

const cases: Record<string, [ReturnType<typeof range>, ...string[]]> = {
  'in order is fine': [
    container({ min: { cpu: '1' }, max: { cpu: '4' }, default: { cpu: '3' }, defaultRequest: { cpu: '2' } }),
  ],
  'types are known or qualified': [
    range({ type: 'Thing' }, { type: 'example.com/thing' }),
    `${at}.type: Invalid value: "Thing": must be a standard limit type or fully qualified`,
  ],
  'and come once': [range({ type: 'Pod' }, { type: 'Pod' }), 'spec.limits[1].type: Duplicate value: "Pod"'],
  'containers have no storage': [
    container({ max: { storage: '1Gi' } }),
    `${at}.max[storage]: Invalid value: "storage": must be a standard resource for containers`,
  ],
  'Pods have no defaults': [
    range({ type: 'Pod', default: { cpu: '1' }, defaultRequest: { cpu: '1' } }),
    `${at}.default: Forbidden: may not be specified when \`type\` is 'Pod'`,
    `${at}.defaultRequest: Forbidden: may not be specified when \`type\` is 'Pod'`,
  ],
  'claims are limited in storage': [
    range({ type: 'PersistentVolumeClaim' }),
    `${at}.limits: Required value: either minimum or maximum storage value is required, but neither was provided`,
  ],
  'the least is not more than the most': [
    container({ min: { cpu: '2' }, max: { cpu: '1' } }),
    `${at}.min[cpu]: Invalid value: "2": min value 2 is greater than max value 1`,
  ],
  'defaults are between': [
    container({ max: { cpu: '1' }, default: { cpu: '2' }, defaultRequest: { cpu: '3' } }),
    `${at}.defaultRequest[cpu]: Invalid value: "3": default request value 3 is greater than max value 1`,
    `${at}.defaultRequest[cpu]: Invalid value: "3": default request value 3 is greater than default limit value 2`,
    `${at}.default[cpu]: Invalid value: "1": default value 2 is greater than max value 1`,
  ],
  'a ratio is at least one': [
    container({ maxLimitRequestRatio: { cpu: '800m' } }),
    `${at}.maxLimitRequestRatio[cpu]: Invalid value: "800m": ratio 800m is less than 1`,
  ],
  'and can be reached': [
    container({ min: { cpu: '1' }, max: { cpu: '2' }, maxLimitRequestRatio: { cpu: '10' } }),
    `${at}.maxLimitRequestRatio[cpu]: Invalid value: "10": ratio 10 is greater than max/min = 2.000000`,
  ],
  'devices are asked for as they are limited': [
    container({ default: { 'example.com/gpu': '2' }, defaultRequest: { 'example.com/gpu': '1' } }),
    `${at}.defaultRequest[example.com/gpu]: Invalid value: "1": default value 2 must equal to defaultRequest value 1 in example.com/gpu`,
  ],
}

for (const [title, [object, ...expected]] of Object.entries(cases)) {
  test(`limit range validation: ${title}`, () => assert.deepEqual(createErrors(object), expected))
}
