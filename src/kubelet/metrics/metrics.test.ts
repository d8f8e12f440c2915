import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ManualClock } from '../../base/manual-clock.ts'
import type { ImageService, RuntimeService } from '../../runtime/cri/cri.generated.ts'
import { volumeMetrics } from '../server/kubelet-metrics.ts'
import { prometheusText } from '../stats/prometheus-text.ts'
import { Histogram } from './instruments.ts'
import { KubeletInstruments } from './kubelet-instruments.ts'
import { measuredRuntime } from './measured-runtime.ts'

const TIME = '2026-11-21T08:00:00Z'

test('a histogram counts in every bucket that a value is below', () => {
  const histogram = new Histogram('h', 'seconds', [0.1, 1])
  for (const value of [0.05, 0.5, 5]) histogram.observe({ l: 'x' }, value)
  assert.equal(
    prometheusText([histogram.collect()]),
    `# HELP h seconds
# TYPE h histogram
h_bucket{l="x",le="0.1"} 1
h_bucket{l="x",le="1"} 2
h_bucket{l="x",le="+Inf"} 3
h_sum{l="x"} 5.55
h_count{l="x"} 3
`,
  )
})

test('probes are counted by result until their pod is gone', () => {
  const instruments = new KubeletInstruments()
  const subject = { container: 'c', namespace: 'ns', pod: 'p', podUid: 'u', type: 'Liveness' }
  instruments.probed(subject, 'successful', 0.2)
  instruments.probed(subject, 'successful', 0.2)
  instruments.probed(subject, 'unknown', 0.2)
  const text = prometheusText(instruments.probeMetrics())
  const labels = 'container="c",namespace="ns",pod="p",pod_uid="u",probe_type="Liveness"'
  assert.ok(text.includes(`prober_probe_total{${labels},result="successful"} 2\n`), text)
  assert.ok(text.includes(`prober_probe_total{${labels},result="unknown"} 1\n`), text)
  assert.match(text, /^prober_probe_duration_seconds_count\{.*\} 2$/m)
  instruments.forgetProbes(subject)
  assert.equal(prometheusText(instruments.probeMetrics()), '')
})

test('calls of the runtime are counted and timed, and answer as before', async () => {
  const clock = new ManualClock(0)
  class Service {
    readonly #secret = 42
    async runPodSandbox() {
      await clock.sleep(2_000)
      return { podSandboxId: `s${this.#secret}` }
    }
    async startContainer() {
      throw new Error('no')
    }
    async checkpointContainer() {
      return { secret: this.#secret }
    }
  }
  const service = new Service() as unknown as RuntimeService & ImageService
  const instruments = new KubeletInstruments()
  const measured = measuredRuntime(service, instruments, clock)
  const run = measured.runPodSandbox({ config: { metadata: {} }, runtimeHandler: '' } as never)
  await clock.advance(2_000)
  assert.deepEqual(await run, { podSandboxId: 's42' })
  await assert.rejects(measured.startContainer({ containerId: 'c' }), /no/)
  assert.deepEqual(await measured.checkpointContainer({} as never), { secret: 42 })
  const lines = prometheusText(instruments.workMetrics()).split('\n')
  for (const line of [
    'kubelet_runtime_operations_total{operation_type="run_podsandbox"} 1',
    'kubelet_runtime_operations_total{operation_type="start_container"} 1',
    'kubelet_runtime_operations_errors_total{operation_type="start_container"} 1',
    'kubelet_runtime_operations_duration_seconds_sum{operation_type="run_podsandbox"} 2',
    'kubelet_started_pods_total 1',
  ]) {
    assert.ok(lines.includes(line), `${line} in ${lines.join('; ')}`)
  }
})

test('claims are told of once, whoever mounts them', () => {
  const mine = { name: 'v', time: TIME, usedBytes: 5, pvcRef: { name: 'c', namespace: 'ns' } }
  const pods = [{ volume: [mine, { name: 'e', time: TIME, usedBytes: 9 }] }, { volume: [mine] }]
  assert.match(
    prometheusText(volumeMetrics(pods)),
    /^# HELP kubelet_volume_stats_used_bytes .*\n# TYPE .*\nkubelet_volume_stats_used_bytes\{namespace="ns",persistentvolumeclaim="c"\} 5\n$/,
  )
})
