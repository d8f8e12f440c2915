import assert from 'node:assert/strict'
import { test } from 'node:test'
import { familiarName, formatReference, parseImageName, parseReference } from './reference.ts'

const HEX = '0123456789abcdef'.repeat(4)

const understood: Record<string, [full: string, familiar: string]> = {
  busybox: ['docker.io/library/busybox:latest', 'busybox:latest'],
  'busybox:1.28': ['docker.io/library/busybox:1.28', 'busybox:1.28'],
  'user/app': ['docker.io/user/app:latest', 'user/app:latest'],
  'docker.io/busybox': ['docker.io/library/busybox:latest', 'busybox:latest'],
  'index.docker.io/busybox': ['docker.io/library/busybox:latest', 'busybox:latest'],
  'library/a/b': ['docker.io/library/a/b:latest', 'library/a/b:latest'],
  'localhost/app:1': ['localhost/app:1', 'localhost/app:1'],
  'localhost:5000/app': ['localhost:5000/app:latest', 'localhost:5000/app:latest'],
  '[::1]:5000/app': ['[::1]:5000/app:latest', '[::1]:5000/app:latest'],
  'registry.k8s.io/pause:3.10': ['registry.k8s.io/pause:3.10', 'registry.k8s.io/pause:3.10'],
  'Example/app': ['Example/app:latest', 'Example/app:latest'],
  'a__b/c--d.e': ['docker.io/a__b/c--d.e:latest', 'a__b/c--d.e:latest'],
  [`busybox@sha256:${HEX}`]: [`docker.io/library/busybox@sha256:${HEX}`, `busybox@sha256:${HEX}`],
  [`busybox:1@sha256:${HEX}`]: [`docker.io/library/busybox:1@sha256:${HEX}`, `busybox:1@sha256:${HEX}`],
}

for (const [text, [full, familiar]] of Object.entries(understood)) {
  test(`${text} is ${full}`, () => {
    const reference = parseReference(text)
    assert.equal(formatReference(reference), full)
    assert.equal(familiarName(reference), familiar)
    assert.deepEqual(parseReference(full), reference, 'the full form means the same')
  })
}

const refused: Record<string, string> = {
  '': 'invalid reference format',
  'a b': 'invalid reference format',
  ' busybox': 'invalid reference format',
  'busybox:': 'invalid reference format',
  'busybox:.tag': 'invalid reference format',
  'http://example.com/app': 'invalid reference format',
  '-busybox': 'invalid reference format',
  a___b: 'invalid reference format',
  'busybox@sha256:123': 'invalid reference format',
  'busybox@latest': 'invalid reference format',
  BusyBox: 'invalid reference format: repository name (library/BusyBox) must be lowercase',
  'example.com/App:v1': 'invalid reference format: repository name (App) must be lowercase',
  [HEX]: `invalid repository name (${HEX}), cannot specify 64-byte hexadecimal strings`,
  [`busybox@sha256:${HEX.toUpperCase()}`]: 'invalid checksum digest format',
  [`busybox@sha256:${HEX}00`]: 'invalid checksum digest length',
  [`busybox@md5:${HEX}`]: 'unsupported digest algorithm',
  ['a'.repeat(300)]: 'repository name must not be more than 255 characters',
}

for (const [text, message] of Object.entries(refused)) {
  test(`"${text.slice(0, 40)}" is refused`, () => {
    assert.throws(() => parseReference(text), { name: 'ImageReferenceError', message })
  })
}

test('the kubelet names the image that could not be parsed', () => {
  assert.throws(() => parseImageName('a b'), {
    message: `couldn't parse image name "a b": invalid reference format`,
  })
})
