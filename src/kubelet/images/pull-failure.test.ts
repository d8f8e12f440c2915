import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pullFailure } from './pull-failure.ts'

const failures: [string, Error, string][] = [
  ['any failure', new Error('manifest unknown'), 'ErrImagePull: manifest unknown'],
  ['one over gRPC', Object.assign(new Error('2 UNKNOWN: x'), { details: 'x' }), 'ErrImagePull: x'],
  [
    'a registry that is away',
    new Error('RegistryUnavailable: no route'),
    'RegistryUnavailable: image pull failed for a/b:1 because the registry is unavailable: no route',
  ],
  [
    'a signature that is wrong',
    new Error('SignatureValidationFailed'),
    'SignatureValidationFailed: image pull failed for a/b:1 because the signature validation failed',
  ],
]

for (const [title, error, expected] of failures) {
  test(`${title} is shown with its reason`, () => {
    const { reason, message } = pullFailure('a/b:1', error)
    assert.equal(`${reason}: ${message}`, expected)
  })
}
