import assert from 'node:assert/strict'
import test from 'node:test'
import { PlainError } from '../../base/plain-error.ts'
import { parseKubeletConfiguration } from './kubelet-configuration.ts'

const HEAD = 'apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n'

test("the kubelet's own file format is understood", () => {
  const text = `${HEAD}evictionHard: {memory.available: 200Mi}\nevictionPressureTransitionPeriod: 30s\n`
  assert.deepEqual(parseKubeletConfiguration(text, 'k.yaml'), {
    evictionHard: { 'memory.available': '200Mi' },
    evictionPressureTransitionPeriod: '30s',
  })
})

const wrong: [string, string, RegExp][] = [
  ['another kind', 'kind: Pod\n', /is no KubeletConfiguration/],
  ['a field that has no effect', `${HEAD}cpuManagerPolicy: static\n`, /cpuManagerPolicy is not known here/],
  ['a value of another type', `${HEAD}evictionMaxPodGracePeriod: soon\n`, /cannot be "soon"/],
  [
    'an unknown signal',
    `${HEAD}evictionHard: {cpu.available: '1'}\n`,
    /unsupported eviction signal cpu\.available/,
  ],
  ['no YAML', `${HEAD}: [`, /is no YAML/],
]

for (const [what, text, message] of wrong) {
  test(`${what} is refused in one sentence`, () => {
    assert.throws(
      () => parseKubeletConfiguration(text, 'k.yaml'),
      (error: unknown) => error instanceof PlainError && message.test(error.message),
    )
  })
}
