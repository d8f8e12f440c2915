import assert from 'node:assert/strict'
import test from 'node:test'
import { PlainError } from '../../base/plain-error.ts'
import { effectiveConfiguration } from './effective-configuration.ts'
import { parseKubeletConfiguration } from './kubelet-configuration.ts'
import { backOffLimits, imagePolicy, logLimits, shutdownGrace } from './settings.ts'

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
  [
    'a cap on restarts beyond what upstream allows',
    `${HEAD}crashLoopBackOff: {maxContainerRestartPeriod: 301s}\n`,
    /crashLoopBackOff cannot be/,
  ],
  [
    'a log without room for a rotated one',
    `${HEAD}containerLogMaxFiles: 1\n`,
    /containerLogMaxFiles cannot be 1/,
  ],
  ['a size that is none', `${HEAD}containerLogMaxSize: 10Mb\n`, /containerLogMaxSize cannot be "10Mb"/],
  [
    'thresholds the wrong way round',
    `${HEAD}imageGCHighThresholdPercent: 70\nimageGCLowThresholdPercent: 80\n`,
    /imageGCLowThresholdPercent must be less/,
  ],
  [
    'critical pods with more than all the time there is',
    `${HEAD}shutdownGracePeriod: 10s\nshutdownGracePeriodCriticalPods: 20s\n`,
    /must not be longer than shutdownGracePeriod/,
  ],
  [
    'ids per pod that do not fill whole ranges',
    `${HEAD}userNamespaces: {idsPerPod: 70000}\n`,
    /userNamespaces cannot be/,
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

test('what is not configured has its default', () => {
  assert.deepEqual(backOffLimits({}), { initialMs: 10_000, maxMs: 300_000 })
  assert.deepEqual(logLimits({}), { maxBytes: 10_485_760, maxFiles: 5, everyMs: 10_000 })
  assert.deepEqual(imagePolicy({}), {
    highPercent: 100,
    lowPercent: 80,
    minimumAgeMs: 120_000,
    maximumAgeMs: 0,
  })
  assert.equal(shutdownGrace({}), undefined)
})

test('the configuration in force is what was given, and defaults for the rest', () => {
  const given = {
    evictionHard: { 'memory.available': '1Gi' },
    imageMinimumGCAge: '60s',
    maxParallelImagePulls: 2,
  }
  const node = { port: 10250, clusterDns: ['10.96.0.10'], clusterDomain: 'cluster.local', podLimit: 110 }
  const shown = effectiveConfiguration(given, node) as Record<string, unknown>
  assert.deepEqual(
    [shown.evictionHard, shown.imageMinimumGCAge, shown.maxParallelImagePulls],
    [{ 'memory.available': '1Gi' }, '1m0s', 2],
  )
  assert.deepEqual(
    [shown.maxPods, shown.clusterDNS, shown.containerLogMaxSize, shown.evictionPressureTransitionPeriod],
    [110, ['10.96.0.10'], '10Mi', '5m0s'],
  )
})

test('a cap below the first wait shortens that one too', () =>
  assert.deepEqual(backOffLimits({ crashLoopBackOff: { maxContainerRestartPeriod: '3s' } }), {
    initialMs: 3_000,
    maxMs: 3_000,
  }))

test('what is configured counts', () => {
  const text = `${HEAD}containerLogMaxSize: 1Ki\ncontainerLogMaxFiles: 3\ncontainerLogMonitorInterval: 3s\nimageGCHighThresholdPercent: 60\nimageGCLowThresholdPercent: 50\nimageMinimumGCAge: 1m\nshutdownGracePeriod: 30s\nshutdownGracePeriodCriticalPods: 10s\n`
  const configuration = parseKubeletConfiguration(text, 'k.yaml')
  assert.deepEqual(logLimits(configuration), { maxBytes: 1024, maxFiles: 3, everyMs: 3_000 })
  assert.deepEqual(imagePolicy(configuration), {
    highPercent: 60,
    lowPercent: 50,
    minimumAgeMs: 60_000,
    maximumAgeMs: 0,
  })
  assert.deepEqual(shutdownGrace(configuration), { allMs: 30_000, criticalMs: 10_000 })
})
