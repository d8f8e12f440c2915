import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { PatchType } from '../../api/request.ts'
import { StatusError } from '../../api/status-error.ts'
import { applyPatch } from './apply-patch.ts'

const pod = (spec: object, metadata: object = {}) => ({ apiVersion: 'v1', kind: 'Pod', metadata, spec })
const [a, b, c] = ['a', 'b', 'c'].map(name => ({ name, image: `${name}:1` })) as [object, object, object]

/** Each applies a strategic merge patch of the spec. */
const strategic: Record<string, { from: object; patch: object; to: object }> = {
  'containers merge by name': {
    from: { containers: [a, b] },
    patch: { containers: [{ name: 'b', image: 'b:2' }] },
    to: { containers: [a, { name: 'b', image: 'b:2' }] },
  },
  'a new container comes before those that only the server knows': {
    from: { containers: [a, b] },
    patch: { containers: [c] },
    to: { containers: [c, a, b] },
  },
  'the order can be set': {
    from: { containers: [a, b] },
    patch: { '$setElementOrder/containers': [{ name: 'b' }, { name: 'c' }, { name: 'a' }], containers: [c] },
    to: { containers: [b, c, a] },
  },
  'the order alone can be set': {
    from: { containers: [a, b, c] },
    patch: { '$setElementOrder/containers': [{ name: 'c' }, { name: 'a' }] },
    to: { containers: [b, c, a] },
  },
  'an element is deleted by directive': {
    from: { containers: [a, b] },
    patch: { containers: [{ name: 'a', $patch: 'delete' }] },
    to: { containers: [b] },
  },
  'deleting what is not there changes nothing': {
    from: { containers: [a] },
    patch: { containers: [{ name: 'z', $patch: 'delete' }] },
    to: { containers: [a] },
  },
  'a list is replaced by directive': {
    from: { containers: [a, b] },
    patch: { containers: [c, { $patch: 'replace' }] },
    to: { containers: [c] },
  },
  'a map is replaced by directive': {
    from: { nodeSelector: { x: '1', y: '2' } },
    patch: { nodeSelector: { $patch: 'replace', z: '3' } },
    to: { nodeSelector: { z: '3' } },
  },
  'null deletes a field, also in a map': {
    from: { hostname: 'h', nodeSelector: { x: '1', y: '2' } },
    patch: { hostname: null, nodeSelector: { x: null, z: '3' } },
    to: { nodeSelector: { y: '2', z: '3' } },
  },
  'null and directives mean nothing where nothing was': {
    from: {},
    patch: {
      nodeSelector: { x: null, y: '1' },
      containers: [{ name: 'a', command: null, env: [{ name: 'E', $patch: 'delete' }] }],
    },
    to: { nodeSelector: { y: '1' }, containers: [{ name: 'a', env: [] }] },
  },
  'lists without a merge strategy are replaced': {
    from: { tolerations: [{ key: 'x' }], containers: [{ name: 'a', command: ['x', 'y'] }] },
    patch: { tolerations: [{ key: 'z' }], containers: [{ name: 'a', command: ['z'] }] },
    to: { tolerations: [{ key: 'z' }], containers: [{ name: 'a', command: ['z'] }] },
  },
  'lists inside of merged lists merge by keys of their own': {
    from: {
      containers: [
        { name: 'a', ports: [{ containerPort: 80, name: 'web' }], env: [{ name: 'X', value: '1' }] },
      ],
    },
    patch: {
      containers: [
        { name: 'a', ports: [{ containerPort: 80, hostPort: 8080 }], env: [{ name: 'X', value: '2' }] },
      ],
    },
    to: {
      containers: [
        {
          name: 'a',
          ports: [{ containerPort: 80, name: 'web', hostPort: 8080 }],
          env: [{ name: 'X', value: '2' }],
        },
      ],
    },
  },
  'volumes keep only the source that the patch retains': {
    from: { volumes: [{ name: 'v', emptyDir: {} }] },
    patch: { volumes: [{ name: 'v', $retainKeys: ['name', 'hostPath'], hostPath: { path: '/x' } }] },
    to: { volumes: [{ name: 'v', hostPath: { path: '/x' } }] },
  },
}

for (const [title, { from, patch, to }] of Object.entries(strategic)) {
  test(`strategic merge: ${title}`, () => {
    const target = pod(from)
    const before = structuredClone(target)
    const type = 'application/strategic-merge-patch+json'
    assert.deepEqual(applyPatch(target, { type, document: { spec: patch } }), pod(to))
    assert.deepEqual(target, before, 'the original is untouched')
  })
}

test('strategic merge: scalars of a list merge, and single ones are deleted', () => {
  const type = 'application/strategic-merge-patch+json'
  const target = pod({}, { finalizers: ['x', 'y', 'z'] })
  const add = { metadata: { finalizers: ['w', 'y'] } }
  assert.deepEqual(applyPatch(target, { type, document: add }), pod({}, { finalizers: ['w', 'x', 'y', 'z'] }))
  const remove = { metadata: { '$deleteFromPrimitiveList/finalizers': ['y'] } }
  assert.deepEqual(applyPatch(target, { type, document: remove }), pod({}, { finalizers: ['x', 'z'] }))
  const ordered = {
    metadata: {
      '$setElementOrder/finalizers': ['z', 'new', 'x'],
      finalizers: ['new'],
      '$deleteFromPrimitiveList/finalizers': ['y'],
    },
  }
  assert.deepEqual(
    applyPatch(target, { type, document: ordered }),
    pod({}, { finalizers: ['z', 'new', 'x'] }),
  )
})

const others: { title: string; type: PatchType; document: unknown; to: object }[] = [
  {
    title: 'merge patch replaces lists and deletes by null',
    type: 'application/merge-patch+json',
    document: { spec: { containers: [c], hostname: null } },
    to: pod({ containers: [c] }),
  },
  {
    title: 'json patch adds, replaces, tests and removes',
    type: 'application/json-patch+json',
    document: [
      { op: 'test', path: '/spec/hostname', value: 'h' },
      { op: 'remove', path: '/spec/hostname' },
      { op: 'replace', path: '/spec/containers/0', value: c },
      { op: 'add', path: '/spec/containers/-', value: b },
      { op: 'add', path: '/metadata/labels', value: { 'x~y': '1' } },
      { op: 'replace', path: '/metadata/labels/x~0y', value: '2' },
    ],
    to: pod({ containers: [c, b] }, { labels: { 'x~y': '2' } }),
  },
]

for (const { title, type, document, to } of others) {
  test(title, () => {
    const target = pod({ hostname: 'h', containers: [a] })
    assert.deepEqual(applyPatch(target, { type, document }), to)
    assert.deepEqual(target, pod({ hostname: 'h', containers: [a] }))
  })
}

const broken: [title: string, type: PatchType, document: unknown, code: number][] = [
  ['a json patch that is no list', 'application/json-patch+json', {}, 400],
  ['an unknown operation', 'application/json-patch+json', [{ op: 'destroy', path: '/spec' }], 400],
  [
    'a test that fails',
    'application/json-patch+json',
    [{ op: 'test', path: '/spec/hostname', value: 'x' }],
    422,
  ],
  ['removing what is not there', 'application/json-patch+json', [{ op: 'remove', path: '/spec/nope' }], 422],
  [
    'a path to nowhere',
    'application/json-patch+json',
    [{ op: 'add', path: '/spec/no/where', value: 1 }],
    422,
  ],
  ['a merge patch that is a list', 'application/merge-patch+json', [], 400],
  [
    'a list element without its key',
    'application/strategic-merge-patch+json',
    { spec: { containers: [{ image: 'x' }] } },
    400,
  ],
  ['an unknown directive', 'application/strategic-merge-patch+json', { spec: { $patch: 'explode' } }, 400],
  ['server-side apply', 'application/apply-patch+yaml', {}, 415],
]

for (const [title, type, document, code] of broken) {
  test(`refused with ${code}: ${title}`, () => {
    assert.throws(
      () => applyPatch(pod({ hostname: 'h', containers: [a] }), { type, document }),
      (error: unknown) => error instanceof StatusError && error.status.code === code,
    )
  })
}

test('a strategic merge patch is not for kinds that are not built in', () => {
  const type = 'application/strategic-merge-patch+json'
  assert.throws(
    () => applyPatch({ apiVersion: 'example.com/v1', kind: 'Widget' }, { type, document: {} }),
    (error: unknown) => error instanceof StatusError && error.status.reason === 'UnsupportedMediaType',
  )
})

test('strategic merge: a kind in the patch changes no kind', () => {
  const scale = { apiVersion: 'autoscaling/v1', kind: 'Scale', spec: { replicas: 1 } }
  const document = { apiVersion: 'apps/v1', kind: 'Deployment', spec: { replicas: 3 } }
  assert.deepEqual(applyPatch(scale, { type: 'application/strategic-merge-patch+json', document }), {
    ...scale,
    spec: { replicas: 3 },
  })
})
