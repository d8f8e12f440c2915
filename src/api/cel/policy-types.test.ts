import assert from 'node:assert/strict'
import { test } from 'node:test'
import { findType } from '../schema/type-facts.ts'
import type { ValidatingAdmissionPolicy } from '../types/admissionregistration-v1.ts'
import { policyWarnings, type TypeSource } from './policy-types.ts'
import { typesOfKind, typesOfSchema } from './schema-types.ts'

const typesOf: TypeSource = (group, version, resource) => {
  if (resource === 'deployments')
    return { group, version, kind: 'Deployment', ...typesOfKind(findType('apps/v1', 'Deployment')!) }
  if (resource !== 'crontabs') return undefined
  const schema = {
    type: 'object',
    properties: { spec: { type: 'object', properties: { replicas: { type: 'integer' } } } },
  }
  return { group, version, kind: 'CronTab', ...typesOfSchema(schema, true) }
}

function warnings(resources: string[], spec: object): (string | undefined)[][] {
  const resourceRules = [{ operations: ['CREATE'], apiGroups: ['apps'], apiVersions: ['v1'], resources }]
  const policy = { metadata: { name: 'p' }, spec: { matchConstraints: { resourceRules }, ...spec } }
  return policyWarnings(policy as unknown as ValidatingAdmissionPolicy, typesOf).map(
    ({ fieldRef, warning }) => [fieldRef, warning],
  )
}
const validation = (expression: string, messageExpression?: string) => ({
  validations: [{ expression, ...(messageExpression && { messageExpression }) }],
})

test('operands of the wrong type are told, with their place', () => {
  assert.deepEqual(
    warnings(['deployments'], validation('object.spec.replicas > "1"', "'got ' + object.spec.replicas")),
    [
      [
        'spec.validations[0].expression',
        `apps/v1, Kind=Deployment: ERROR: <input>:1:22: found no matching overload for '_>_' applied to '(int, string)'\n | object.spec.replicas > "1"\n | .....................^\n`,
      ],
      [
        'spec.validations[0].messageExpression',
        `apps/v1, Kind=Deployment: ERROR: <input>:1:8: found no matching overload for '_+_' applied to '(string, int)'\n | 'got ' + object.spec.replicas\n | .......^\n`,
      ],
    ],
  )
})

test('expressions that fit get no warning', () => {
  const expression =
    'object.spec.replicas > 1 && object.spec.template.spec.containers.all(c, c.image.startsWith("registry/")) && object.metadata.name != oldObject.metadata.name && has(object.metadata.labels.app)'
  assert.deepEqual(warnings(['deployments'], validation(expression)), [])
})

test('fields of custom kinds are known by their schema', () => {
  const [[, warning] = []] = warnings(['crontabs'], validation('object.spec.replica > 1'))
  assert.match(warning ?? '', /^apps\/v1, Kind=CronTab: ERROR: <input>:1:12: undefined field 'replica'/)
  assert.deepEqual(warnings(['crontabs'], validation('object.spec.replicas > 1')), [])
})

test('variables have the types of what they stand for', () => {
  const spec = {
    variables: [{ name: 'replicas', expression: 'object.spec.replicas' }],
    ...validation("variables.replicas == 'many'"),
  }
  const [[, warning] = []] = warnings(['deployments'], spec)
  assert.match(warning ?? '', /found no matching overload for '_==_' applied to '\(int, string\)'/)
})

test('resources behind a wildcard are not looked at', () => {
  assert.deepEqual(warnings(['*'], validation('object.spec.nowhere > 1')), [])
})
