// One case per rule of KEP-555 and of structured-merge-diff: what each write does to the object and to its owners.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { EMPTY, parseFieldsV1, pathText, toFieldsV1 } from './field-set.ts'
import { keyOf, type ManagerId, type Managers, type Ownership } from './managers.ts'
import { applyConfiguration, ownersAfterUpdate } from './ownership.ts'
import { shapeOfKind } from './shape.ts'
import { toFieldSet } from './to-field-set.ts'

const shape = shapeOfKind('apps/v1', 'Deployment')
const context = { shape, ignored: EMPTY, time: '2026-01-01T00:00:00Z' }

const id = (manager: string, operation: 'Apply' | 'Update'): ManagerId => ({
  manager,
  operation,
  apiVersion: 'apps/v1',
  subresource: '',
})

/** 'a': Apply by a; 'u!': Update by u. */
function owners(sets: Record<string, object>): Managers {
  const entries = Object.entries(sets).map(([name, fields]): [string, Ownership] => {
    const by = name.endsWith('!') ? id(name.slice(0, -1), 'Update') : id(name, 'Apply')
    return [keyOf(by), { ...by, set: parseFieldsV1(fields), time: undefined }]
  })
  return new Map(entries)
}

const shown = (managers: Managers) =>
  Object.fromEntries(
    [...managers.values()].map(({ manager, operation, set }) => [
      operation === 'Update' ? `${manager}!` : manager,
      toFieldsV1(set),
    ]),
  )

const spec = (fields: object) => ({ spec: fields })
const containers = (...list: object[]) => spec({ template: { spec: { containers: list } } })
const containerFields = (below: object) => spec2({ 'f:template': { 'f:spec': { 'f:containers': below } } })
const spec2 = (below: object) => ({ 'f:spec': below })

interface ApplyCase {
  live: object
  config: object
  before?: Record<string, object>
  force?: true
  object?: object
  after?: Record<string, object>
  conflicts?: string[]
}

const applies: Record<string, ApplyCase> = {
  'owns what it names, and only that': {
    live: spec({ paused: true }),
    config: spec({ replicas: 2 }),
    object: spec({ paused: true, replicas: 2 }),
    after: { a: spec2({ 'f:replicas': {} }) },
  },
  'shares a field that another applier sets to the same value': {
    live: spec({ replicas: 2 }),
    config: spec({ replicas: 2 }),
    before: { b: spec2({ 'f:replicas': {} }) },
    object: spec({ replicas: 2 }),
    after: { b: spec2({ 'f:replicas': {} }), a: spec2({ 'f:replicas': {} }) },
  },
  'conflicts where another owner holds another value': {
    live: spec({ replicas: 3 }),
    config: spec({ replicas: 2 }),
    before: { 'scaler!': spec2({ 'f:replicas': {} }) },
    conflicts: ['.spec.replicas'],
  },
  'takes the field over when forced': {
    live: spec({ replicas: 3 }),
    config: spec({ replicas: 2 }),
    before: { 'scaler!': spec2({ 'f:replicas': {} }) },
    force: true,
    object: spec({ replicas: 2 }),
    after: { a: spec2({ 'f:replicas': {} }) },
  },
  'removes what it no longer names and nobody else owns': {
    live: spec({ replicas: 3, paused: true }),
    config: spec({ paused: true }),
    before: { a: spec2({ 'f:replicas': {}, 'f:paused': {} }) },
    object: spec({ paused: true }),
    after: { a: spec2({ 'f:paused': {} }) },
  },
  'leaves what it no longer names but somebody else owns': {
    live: spec({ replicas: 3 }),
    config: { metadata: { labels: { x: 'y' } } },
    before: { a: spec2({ 'f:replicas': {} }), 'scaler!': spec2({ 'f:replicas': {} }) },
    object: { spec: { replicas: 3 }, metadata: { labels: { x: 'y' } } },
    after: { 'scaler!': spec2({ 'f:replicas': {} }), a: { 'f:metadata': { 'f:labels': { 'f:x': {} } } } },
  },
  'merges keyed lists by their keys, keeping the items of others': {
    live: containers({ name: 'injected', image: 'i' }, { name: 'app', image: 'old' }),
    config: containers({ name: 'app', image: 'new' }),
    before: { a: containerFields({ 'k:{"name":"app"}': { '.': {}, 'f:name': {}, 'f:image': {} } }) },
    object: containers({ name: 'injected', image: 'i' }, { name: 'app', image: 'new' }),
    after: { a: containerFields({ 'k:{"name":"app"}': { '.': {}, 'f:name': {}, 'f:image': {} } }) },
  },
  'removes an item that it no longer names, with what is below it': {
    live: containers({ name: 'app', image: 'i' }, { name: 'side', image: 's', tty: true }),
    config: containers({ name: 'app', image: 'i' }),
    before: {
      a: containerFields({
        'k:{"name":"app"}': { '.': {}, 'f:name': {}, 'f:image': {} },
        'k:{"name":"side"}': { '.': {}, 'f:name': {}, 'f:image': {} },
      }),
    },
    object: containers({ name: 'app', image: 'i' }),
    after: { a: containerFields({ 'k:{"name":"app"}': { '.': {}, 'f:name': {}, 'f:image': {} } }) },
  },
  'keeps an item in which another owner has a field, with that field': {
    live: containers({ name: 'app', image: 'i' }, { name: 'side', image: 's', tty: true }),
    config: containers({ name: 'app', image: 'i' }),
    before: {
      a: containerFields({
        'k:{"name":"app"}': { '.': {}, 'f:name': {}, 'f:image': {} },
        'k:{"name":"side"}': { '.': {}, 'f:name': {}, 'f:image': {} },
      }),
      b: containerFields({ 'k:{"name":"side"}': { '.': {}, 'f:name': {}, 'f:tty': {} } }),
    },
    object: containers({ name: 'app', image: 'i' }, { name: 'side', tty: true }),
    after: {
      b: containerFields({ 'k:{"name":"side"}': { '.': {}, 'f:name': {}, 'f:tty': {} } }),
      a: containerFields({ 'k:{"name":"app"}': { '.': {}, 'f:name': {}, 'f:image': {} } }),
    },
  },
  'fills in a key that the schema has a default for': {
    live: containers({ name: 'c', ports: [{ containerPort: 80, protocol: 'TCP' }] }),
    config: containers({ name: 'c', ports: [{ containerPort: 80, name: 'http' }] }),
    object: containers({ name: 'c', ports: [{ containerPort: 80, protocol: 'TCP', name: 'http' }] }),
    after: {
      a: containerFields({
        'k:{"name":"c"}': {
          '.': {},
          'f:name': {},
          'f:ports': {
            'k:{"containerPort":80,"protocol":"TCP"}': { '.': {}, 'f:containerPort': {}, 'f:name': {} },
          },
        },
      }),
    },
  },
  'takes sets apart by value': {
    live: { metadata: { finalizers: ['a/x', 'b/y'] } },
    config: { metadata: { finalizers: ['c/z'] } },
    before: { a: { 'f:metadata': { 'f:finalizers': { 'v:"a/x"': {} } } } },
    object: { metadata: { finalizers: ['b/y', 'c/z'] } },
    after: { a: { 'f:metadata': { 'f:finalizers': { 'v:"c/z"': {} } } } },
  },
  'replaces atomic parts whole': {
    live: spec({ selector: { matchLabels: { a: '1', b: '2' } } }),
    config: spec({ selector: { matchLabels: { a: '1' } } }),
    object: spec({ selector: { matchLabels: { a: '1' } } }),
    after: { a: spec2({ 'f:selector': {} }) },
  },
  'names every conflict': {
    live: containers({ name: 'c', image: 'i', command: ['x'] }),
    config: containers({ name: 'c', image: 'j', command: ['y'] }),
    before: { 'u!': containerFields({ 'k:{"name":"c"}': { 'f:command': {}, 'f:image': {} } }) },
    conflicts: [
      '.spec.template.spec.containers[name="c"].command',
      '.spec.template.spec.containers[name="c"].image',
    ],
  },
}

for (const [
  what,
  { live, config, before = {}, force = false, object, after, conflicts = [] },
] of Object.entries(applies)) {
  test(`an apply ${what}`, () => {
    const applied = applyConfiguration(live, config, owners(before), id('a', 'Apply'), force, context)
    assert.deepEqual(
      applied.conflicts.map(({ path }) => pathText(path)),
      conflicts,
    )
    if (conflicts.length > 0) return
    assert.deepEqual(applied.object, object)
    assert.deepEqual(shown(applied.managers), after)
  })
}

test('applying the same again changes nothing, not even the time', () => {
  const config = spec({ replicas: 2 })
  const first = applyConfiguration({}, config, new Map(), id('a', 'Apply'), false, context)
  const later = { ...context, time: '2026-01-02T00:00:00Z' }
  const again = applyConfiguration(first.object, config, first.managers, id('a', 'Apply'), false, later)
  assert.deepEqual(again, first)
})

const updates: Record<string, [object, object, Record<string, object>, Record<string, object>]> = {
  'owns what it changes and adds, with the parents that it adds': [
    spec({ replicas: 1 }),
    { spec: { replicas: 2 }, metadata: { labels: { x: 'y' } } },
    {},
    { 'u!': { 'f:metadata': { 'f:labels': { '.': {}, 'f:x': {} } }, 'f:spec': { 'f:replicas': {} } } },
  ],
  'takes a changed field from everybody': [
    spec({ replicas: 1 }),
    spec({ replicas: 2 }),
    { a: spec2({ 'f:replicas': {}, 'f:paused': {} }) },
    { a: spec2({ 'f:paused': {} }), 'u!': spec2({ 'f:replicas': {} }) },
  ],
  'takes a removed field from everybody, and owns nothing by that': [
    spec({ replicas: 1, paused: true }),
    spec({ paused: true }),
    { a: spec2({ 'f:replicas': {} }), b: spec2({ 'f:paused': {}, 'f:replicas': {} }) },
    { b: spec2({ 'f:paused': {} }) },
  ],
  'that changes nothing leaves the owners alone': [
    spec({ replicas: 1 }),
    spec({ replicas: 1 }),
    { a: spec2({ 'f:replicas': {} }) },
    { a: spec2({ 'f:replicas': {} }) },
  ],
  'adds to what it owns already': [
    spec({ replicas: 1 }),
    spec({ replicas: 1, paused: true }),
    { 'u!': spec2({ 'f:replicas': {} }) },
    { 'u!': spec2({ 'f:paused': {}, 'f:replicas': {} }) },
  ],
}

for (const [what, [before, after, sets, expected]] of Object.entries(updates)) {
  test(`an update ${what}`, () => {
    assert.deepEqual(
      shown(ownersAfterUpdate(before, after, owners(sets), id('u', 'Update'), context)),
      expected,
    )
  })
}

test('a field that the schema does not have is named with its path', () => {
  assert.throws(() => toFieldSet(containers({ name: 'c', imag: 'i' }), shape), {
    message: '.spec.template.spec.containers[name="c"].imag: field not declared in schema',
  })
})
