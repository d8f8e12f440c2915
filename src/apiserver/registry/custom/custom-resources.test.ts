import assert from 'node:assert/strict'
import { test } from 'node:test'
import { settle } from '../../../base/manual-clock.ts'
import { startWebhook } from '../../admission/webhook/webhook-server.fixture.ts'
import { failure, type Loose, TestRegistry } from '../test-registry.ts'

const CRDS = 'apiextensions.k8s.io/v1/customresourcedefinitions'
const WIDGETS = 'example.com/v1/widgets'

const definition = (more: object = {}, version: object = {}) => ({
  metadata: { name: 'widgets.example.com' },
  spec: {
    group: 'example.com',
    scope: 'Namespaced',
    names: { plural: 'widgets', kind: 'Widget' },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        subresources: {
          status: {},
          scale: { specReplicasPath: '.spec.size', statusReplicasPath: '.status.size' },
        },
        selectableFields: [{ jsonPath: '.spec.color' }],
        schema: {
          openAPIV3Schema: {
            type: 'object',
            properties: {
              spec: {
                type: 'object',
                properties: { size: { type: 'integer', maximum: 5, default: 1 }, color: { type: 'string' } },
              },
              status: { type: 'object', properties: { size: { type: 'integer' } } },
            },
          },
        },
        ...version,
      },
      {
        name: 'v2',
        served: true,
        storage: false,
        schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
      },
    ],
    ...more,
  },
})
const IN_NS = { namespace: 'ns' }

async function cluster() {
  const api = new TestRegistry()
  const stop = new AbortController()
  const running = api.registry.run(stop.signal)
  await api.create(CRDS, definition())
  await settle()
  const end = async () => {
    stop.abort()
    await running
  }
  const widget = (name: string, spec: object = {}, call: object = {}) =>
    api.create(WIDGETS, { metadata: { name }, spec }, { ...IN_NS, ...call })
  return { api, end, widget }
}

test('a definition is established and its resource served', async () => {
  const { api, end, widget } = await cluster()
  const made = await api.get(CRDS, 'widgets.example.com')
  const conditions = made.status!.conditions as unknown as { type: string; status: string; reason: string }[]
  assert.deepEqual(
    conditions.map(({ type, status, reason }) => [type, status, reason]),
    [
      ['NamesAccepted', 'True', 'NoConflicts'],
      ['Established', 'True', 'InitialNamesAccepted'],
    ],
  )
  assert.deepEqual(made.status!.storedVersions, ['v1'])
  const created = await widget('a', { color: 'red', unknown: 1 })
  assert.deepEqual(created.spec, { color: 'red', size: 1 })
  assert.equal(created.metadata.generation, 1)
  const seen = await api.get('example.com/v2/widgets', 'a', IN_NS)
  assert.equal(seen.apiVersion, 'example.com/v2')
  await end()
})

test('objects are held to their schema, and what was wrong before may stay', async () => {
  const { api, end, widget } = await cluster()
  const strict = await failure(widget('a', { unknown: 1 }, { options: { fieldValidation: 'Strict' } }))
  assert.equal(
    strict.message,
    'Widget in version "v1" cannot be handled as a Widget: strict decoding error: unknown field "spec.unknown"',
  )
  const wrong = await failure(widget('a', { size: 6 }))
  assert.equal(
    wrong.message,
    'Widget.example.com "a" is invalid: spec.size: Invalid value: 6: spec.size in body should be less than or equal to 5',
  )
  const made = await widget('a', { size: 5, color: 'red' })
  const crd = structuredClone(await api.get(CRDS, 'widgets.example.com')) as Loose
  const versions = crd.spec!.versions as unknown as {
    schema: { openAPIV3Schema: { properties: { spec: { properties: { size: { maximum: number } } } } } }
  }[]
  versions[0]!.schema.openAPIV3Schema.properties.spec.properties.size.maximum = 3
  await api.update(CRDS, crd)
  await settle()
  const changed = await api.update(
    WIDGETS,
    { ...structuredClone(made), spec: { size: 5, color: 'blue' } } as never,
    IN_NS,
  )
  assert.equal((changed.spec as unknown as { color: string }).color, 'blue')
  assert.equal((await failure(api.patch(WIDGETS, 'a', { spec: { size: 4 } }, 'merge', IN_NS))).code, 422)
  await end()
})

test('patterns and rules of a definition are held to the syntax of Go', async () => {
  const api = new TestRegistry()
  const refusal = async (spec: object) => {
    const openAPIV3Schema = { type: 'object', properties: { spec: { type: 'object', ...spec } } }
    const made = definition({ selectableFields: [] }, { schema: { openAPIV3Schema }, selectableFields: [] })
    return (await failure(api.create(CRDS, made))).message
  }
  const place = 'spec.versions[0].schema.openAPIV3Schema.properties[spec]'
  const is = 'CustomResourceDefinition.apiextensions.k8s.io "widgets.example.com" is invalid: '
  assert.equal(
    await refusal({ properties: { a: { type: 'string', pattern: '(?!x)a' } } }),
    `${is}${place}.properties[a].pattern: Invalid value: "(?!x)a": must be a valid regular expression, but isn't: error parsing regexp: invalid or unsupported Perl syntax: \`(?!\``,
  )
  assert.equal(
    await refusal({ 'x-kubernetes-validations': [{ rule: "string(self).matches('(')" }] }),
    `${is}${place}.x-kubernetes-validations[0].rule: Invalid value: "string(self).matches('(')": compilation failed: ERROR: <input>:1:22: invalid matches argument\n | string(self).matches('(')\n | .....................^`,
  )
  assert.equal(
    await refusal({ 'x-kubernetes-validations': [{ rule: "string(self).find('(') == ''" }] }),
    `${is}${place}.x-kubernetes-validations[0].rule: Invalid value: "string(self).find('(') == ''": program instantiation failed: error parsing regexp: missing closing ): \`(\``,
  )
  assert.equal(
    await refusal({
      'x-kubernetes-validations': [{ rule: 'true', messageExpression: "string(self).find('(')" }],
    }),
    `${is}${place}.x-kubernetes-validations[0].messageExpression: Invalid value: "string(self).find('(')": messageExpression instantiation failed: error parsing regexp: missing closing ): \`(\``,
  )
})

test('whoever uses a version that is going away is told so', async () => {
  const { api, end, widget } = await cluster()
  const crd = structuredClone(await api.get(CRDS, 'widgets.example.com')) as Loose
  const versions = crd.spec!.versions as unknown as { name: string; deprecated?: boolean }[]
  versions.find(({ name }) => name === 'v2')!.deprecated = true
  await api.update(CRDS, crd)
  await settle()
  await widget('a')
  const answer = await api.send('get', 'example.com/v2/widgets', { name: 'a', ...IN_NS })
  assert.deepEqual((answer as { warnings?: string[] }).warnings, ['example.com/v2 Widget is deprecated'])
  const fresh = await api.send('get', WIDGETS, { name: 'a', ...IN_NS })
  assert.equal((fresh as { warnings?: string[] }).warnings, undefined)
  await end()
})

test('status and scale are of their own', async () => {
  const { api, end, widget } = await cluster()
  const made = await widget('a', { size: 2 })
  const updated = await api.update(WIDGETS, { ...structuredClone(made), status: { size: 9 } } as never, IN_NS)
  assert.equal(updated.status, undefined)
  const both = { ...structuredClone(made), spec: { size: 4 }, status: { size: 2 } }
  const status = await api.update(`${WIDGETS}/status`, both as never, IN_NS)
  assert.deepEqual([status.spec, status.status, status.metadata.generation], [{ size: 2 }, { size: 2 }, 1])
  const scale = await api.get(`${WIDGETS}/scale`, 'a', IN_NS)
  assert.deepEqual([scale.kind, scale.spec, scale.status], ['Scale', { replicas: 2 }, { replicas: 2 }])
  await api.patch(`${WIDGETS}/scale`, 'a', { spec: { replicas: 3 } }, 'merge', IN_NS)
  const scaled = await api.get(WIDGETS, 'a', IN_NS)
  assert.deepEqual([scaled.spec, scaled.metadata.generation], [{ size: 3 }, 2])
  await end()
})

test('fields that the definition names can be selected by', async () => {
  const { api, end, widget } = await cluster()
  await widget('a', { color: 'red' })
  await widget('b', { color: 'blue' })
  const { items } = await api.list(WIDGETS, { fieldSelector: 'spec.color=blue' }, IN_NS)
  assert.deepEqual(
    items.map(({ metadata }) => metadata.name),
    ['b'],
  )
  await end()
})

test('a definition goes when its objects have gone, and its watches end', async () => {
  const { api, end, widget } = await cluster()
  await widget('a')
  await api.patch(WIDGETS, 'a', { metadata: { finalizers: ['example.com/hold'] } }, 'merge', IN_NS)
  const watch = await api.watch(WIDGETS, {}, IN_NS)
  await api.object('delete', CRDS, { name: 'widgets.example.com' })
  await settle()
  const leaving = await api.get(CRDS, 'widgets.example.com')
  assert.deepEqual(leaving.metadata.finalizers, ['customresourcecleanup.apiextensions.k8s.io'])
  await api.patch(WIDGETS, 'a', { metadata: { finalizers: null } }, 'merge', IN_NS)
  await api.clock.advance(1000)
  await settle()
  assert.equal((await failure(api.get(CRDS, 'widgets.example.com'))).reason, 'NotFound')
  assert.equal((await failure(api.get(WIDGETS, 'a', IN_NS))).code, 404)
  assert.ok((await watch.seen()).includes('DELETED a'))
  assert.equal(watch.ended, true)
  await end()
})

const wrong: [title: string, body: object, text: string][] = [
  [
    'a name that does not fit',
    { ...definition(), metadata: { name: 'gadgets.example.com' } },
    'metadata.name: Invalid value: "gadgets.example.com": must be spec.names.plural+"."+spec.group',
  ],
  [
    'no stored version',
    definition({}, { storage: false }),
    'must have exactly one version marked as storage version',
  ],
  [
    'no schema',
    definition({}, { schema: undefined }),
    'spec.versions[0].schema.openAPIV3Schema: Required value: schemas are required',
  ],
  [
    'a schema without types',
    definition({}, { schema: { openAPIV3Schema: { type: 'object', properties: { spec: {} } } } }),
    'spec.versions[0].schema.openAPIV3Schema.properties[spec].type: Required value: must not be empty for specified object fields',
  ],
  [
    'a wrong scope',
    definition({ scope: 'Everywhere' }),
    'spec.scope: Unsupported value: "Everywhere": supported values: "Cluster", "Namespaced"',
  ],
]
for (const [title, body, text] of wrong) {
  test(`a definition is refused for ${title}`, async () => {
    const status = await failure(new TestRegistry().create(CRDS, body))
    assert.equal(status.code, 422)
    assert.ok(status.message.includes(text), status.message)
  })
}

test('a webhook turns versions into each other, on the way in and on the way out', async () => {
  const { api, end } = await cluster()
  interface Asked {
    request: { uid: string; desiredAPIVersion: string; objects: Loose[] }
  }
  const webhook = await startWebhook(({ request }: Asked) => ({
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'ConversionReview',
    response: {
      uid: request.uid,
      result: { status: 'Success' },
      convertedObjects: request.objects.map(({ spec, ...object }) => {
        const { size, amount } = spec as unknown as Record<string, number | undefined>
        const isNew = request.desiredAPIVersion === 'example.com/v2'
        return {
          ...object,
          apiVersion: request.desiredAPIVersion,
          spec: isNew ? { amount: size } : { size: amount },
        }
      }),
    },
  }))
  try {
    const crd = structuredClone(await api.get(CRDS, 'widgets.example.com')) as Loose
    const conversion = {
      strategy: 'Webhook',
      webhook: { clientConfig: webhook.config, conversionReviewVersions: ['v1'] },
    }
    const amount = { type: 'object', properties: { amount: { type: 'integer' } } }
    const [v1, v2] = (crd.spec as unknown as { versions: object[] }).versions
    const second = {
      ...v2,
      schema: { openAPIV3Schema: { type: 'object', properties: { spec: amount } } },
      selectableFields: [{ jsonPath: '.spec.amount' }],
    }
    await api.update(CRDS, { ...crd, spec: { ...crd.spec, conversion, versions: [v1, second] } } as never)
    await settle()
    const seen: string[] = []
    const stop = new AbortController()
    const options = { fieldSelector: 'spec.amount=3' }
    const watch = { ...IN_NS, options, signal: stop.signal }
    const watched = await api.send('watch', 'example.com/v2/widgets', watch)
    assert.equal(watched.kind, 'watch')
    const reading = (async () => {
      if (watched.kind !== 'watch') return
      for await (const { type, object } of watched.events) {
        seen.push(`${type} ${object.metadata.name} ${JSON.stringify(object.spec)}`)
      }
    })()
    const made = await api.create(
      'example.com/v2/widgets',
      { metadata: { name: 'a' }, spec: { amount: 3 } },
      IN_NS,
    )
    assert.deepEqual([made.apiVersion, made.spec], ['example.com/v2', { amount: 3 }])
    const stored = await api.get(WIDGETS, 'a', IN_NS)
    assert.deepEqual([stored.apiVersion, stored.spec], ['example.com/v1', { size: 3 }])
    const { items } = await api.list('example.com/v2/widgets', {}, IN_NS)
    assert.deepEqual(
      items.map(({ spec }) => spec),
      [{ amount: 3 }],
    )
    const patched = await api.patch('example.com/v2/widgets', 'a', { spec: { amount: 4 } }, 'merge', IN_NS)
    assert.deepEqual([patched.spec, patched.metadata.generation], [{ amount: 4 }, 2])
    await api.create('example.com/v2/widgets', { metadata: { name: 'b' }, spec: { amount: 3 } }, IN_NS)
    const chosen = await api.list('example.com/v2/widgets', options, IN_NS)
    assert.deepEqual(
      chosen.items.map(({ metadata }) => metadata.name),
      ['b'],
    )
    await api.send('deletecollection', 'example.com/v2/widgets', { ...IN_NS, options })
    assert.equal((await api.list('example.com/v2/widgets', {}, IN_NS)).items.length, 1)
    for (let turn = 0; turn < 200 && seen.length < 4; turn++) await new Promise(setImmediate)
    stop.abort()
    await reading
    assert.deepEqual(seen, [
      'ADDED a {"amount":3}',
      'DELETED a {"amount":3}',
      'ADDED b {"amount":3}',
      'DELETED b {"amount":3}',
    ])
    assert.equal(
      (await failure(api.patch('example.com/v2/widgets', 'a', { spec: { amount: 9 } }, 'merge', IN_NS))).code,
      422,
    )
  } finally {
    webhook.close()
    await end()
  }
})

test('finalizers of custom objects need no domain', async () => {
  const { api, end } = await cluster()
  const made = await api.create(WIDGETS, { metadata: { name: 'a', finalizers: ['mine'] }, spec: {} }, IN_NS)
  assert.deepEqual(made.metadata.finalizers, ['mine'])
  const patched = await api.patch(
    WIDGETS,
    'a',
    { metadata: { finalizers: ['mine', 'yours'] } },
    'merge',
    IN_NS,
  )
  assert.deepEqual(patched.metadata.finalizers, ['mine', 'yours'])
  await end()
})
